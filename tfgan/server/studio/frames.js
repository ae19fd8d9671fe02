// The drawings of a walk through items that ends where it began.

export const STEPS = 16; // drawings from one item to the next
export const frameSecs = 0.06;

export function frames(model, items) {
  return Array.from({length: items.length * STEPS}, (_, frame) => drawingAt(model, items, frame));
}

export function drawingAt(model, items, frame) {
  const [at, share] = [Math.floor(frame / STEPS), (frame % STEPS) / STEPS];
  const [item, next] = [items[at], items[(at + 1) % items.length]];
  if (share === 0) return model.itemDrawing(item);
  const [from, to] = [item, next].map((each) => model.itemLatents(each));
  return model.drawBetween(from, to, share, item.label, next.label);
}
