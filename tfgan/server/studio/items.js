// Items: drawings or pieces of a model as plain JSON, which files, sessions and undo hold.

// A short name of what an item says: two of the same content have the same one.
export function withId(item) {
  const {id, ...content} = item;
  return {id: hashed(JSON.stringify(content)), ...content};
}

// 53 bits by multiplication and rotation of two halves, as cyrb53 does it.
function hashed(text) {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const char of text) {
    a = Math.imul(a ^ char.codePointAt(0), 2654435761);
    b = Math.imul(b ^ char.codePointAt(0), 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}

// The item of a seed; `more` is what else there is to it, such as {bars}.
export function itemOfSeed(model, seed, label = null, truncation = 1, more = {}) {
  const own = label ?? model.labelOf(BigInt(seed));
  return withId({seed: String(seed), label: own, truncation, ...more});
}

export function itemOfLatents(latents, label, more = {}) {
  return withId({latents: [...latents], label, truncation: 1, ...more});
}

// What an item is called, such as "cat, seed 7".
export function nameOf(model, item) {
  const kind = kindOf(model, item.label);
  const changed = Object.values(item.sliders ?? {}).some((value) => value !== 0);
  const origin = item.seed === undefined ? 'of mixed numbers' : `seed ${item.seed}`;
  const length = item.bars && `${item.bars} bars`;
  return [kind, origin, length, changed && 'changed', item.kept && 'with kept strokes']
    .filter(Boolean)
    .join(', ');
}

export function kindOf(model, label) {
  return model.classNames?.[label] ?? `kind ${label}`;
}

// The name of an item's file, without its ending.
export function fileNameOf(model, item) {
  const kind = kindOf(model, item.label).replace(/[^a-z0-9]+/gi, '-');
  const isPlain = item.seed !== undefined && !item.sliders && !item.kept && item.truncation === 1;
  const length = item.bars ? `-${item.bars}-bars` : '';
  return isPlain ? `${kind}-${item.seed}${length}` : `${kind}-${item.id}`;
}
