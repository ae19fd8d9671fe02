// Edits of a drawing's lines: some are gone, moved, wider or thinner.

// A drawing with {index: {gone, points, width}} done to its strokes.
export function withLineEdits(drawing, edits) {
  if (!edits || !drawing.strokes) return drawing;
  const strokes = drawing.strokes
    .filter(({index}) => !edits[index]?.gone)
    .map((stroke) => {
      const {points = stroke.points, width = stroke.width} = edits[stroke.index] ?? {};
      return {...stroke, points, width};
    });
  return {...drawing, strokes};
}
