// Sliders at work, as tfgan/saved_model/sliders.py has them: edits of strokes, or moves of latents.

const EDITS = ['width', 'size', 'tilt'];
const SAMPLES = 64; // of each stroke that the image is made from: an edit may draw strokes apart

// A value for each slider, the default where none is given; others are brought into range.
export function valuesOf(sliders, given = {}) {
  return sliders.map(({name, low, high, default: rest}) => {
    return Math.min(high, Math.max(low, given[name] ?? rest));
  });
}

// Latents with sliders that are directions, as long as they were.
export function moved(latents, label, sliders, values) {
  const after = Float64Array.from(latents);
  sliders.forEach(({kind, directions}, i) => {
    if (kind !== 'direction') return;
    const row = directions[directions.length > 1 ? label : 0];
    for (let j = 0; j < after.length; j++) after[j] += values[i] * row[j];
  });
  const scale = Math.hypot(...latents) / Math.hypot(...after);
  return Float32Array.from(after, (each) => scale * each);
}

// A drawing of strokes with sliders that are edits.
export function edited(drawing, sliders, values) {
  if (!drawing.strokes.length) return drawing;
  const [width, size, tilt] = EDITS.map((name) => {
    return sliders.reduce((sum, slider, i) => sum + values[i] * (slider.change?.[name] ?? 0), 0);
  });
  const [wider, growth] = [Math.exp(width), Math.exp(size)];
  const all = drawing.strokes.flatMap(({points}) => points);
  const middle = [0, 1].map((axis) => {
    return all.reduce((sum, point) => sum + point[axis], 0) / all.length;
  });
  const changed = all.map(([x, y]) => {
    const [right, down] = [x - middle[0], y - middle[1]];
    return [middle[0] + growth * (right - tilt * down), middle[1] + growth * down];
  });
  const pen = wider * Math.max(...drawing.strokes.map((stroke) => stroke.width));
  const points = onPage(changed, all, pen / 2, drawing.shape);
  let next = 0;
  const strokes = drawing.strokes.map((stroke) => ({
    ...stroke,
    width: wider * stroke.width,
    points: stroke.points.map(() => points[next++]),
  }));
  const absent = drawing.absent?.map((each) => wider * each);
  return {...drawing, strokes, absent, samples: SAMPLES};
}

// Points that are brought back to the page, or to where the drawing was before if it left it.
//
// Where the box of its points is larger than that, the drawing shrinks about the box's middle, and
// then it is shifted by as little as will do. Half a pen's width stays free at the sides.
function onPage(points, before, half, [height, width]) {
  const axes = [0, 1].map((axis) => {
    const extent = [width, height][axis] / (2 * Math.max(height, width));
    const [ownLow, ownHigh] = range(before, axis);
    const [low, high] = range(points, axis);
    const least = Math.min(0.5 - extent + half, ownLow);
    const most = Math.max(0.5 + extent - half, ownHigh);
    return {low, high, least, most};
  });
  const fits = axes.map(({low, high, least, most}) => (most - least) / Math.max(high - low, 1e-6));
  const fit = Math.min(1, ...fits);
  const shifts = axes.map(({low, high, least, most}) => {
    const [middle, reach] = [(low + high) / 2, (fit * (high - low)) / 2];
    const shift = Math.max(least - (middle - reach), 0) + Math.min(most - (middle + reach), 0);
    return middle * (1 - fit) + shift;
  });
  return points.map((point) => point.map((place, axis) => fit * place + shifts[axis]));
}

function range(points, axis) {
  const places = points.map((point) => point[axis]);
  return [Math.min(...places), Math.max(...places)];
}
