// Animations: GIF files that go on without end and tell what made them.

import {joined, little16, utf8} from './bytes.js';
import {isGrey} from './png.js';
import {madeBy, xmp} from './provenance.js';

const BITS = 8; // of a pixel
const [CLEAR, END] = [1 << BITS, (1 << BITS) + 1];
const MOST_CODES = 4096;
const LEVELS = [6, 7, 6]; // of red, green and blue, where pixels have colours
const FOREVER = [0x21, 0xff, 11, ...utf8('NETSCAPE2.0'), 3, 1, 0, 0, 0];
const XMP = [0x21, 0xff, 11, ...utf8('XMP DataXMP')];

// A GIF file of frames of one size as `pixelsOf` paints them, each shown for so long.
export function gifBytes(frames, given, frameSecs = 0.05) {
  const {width, height, picture, size} = frames[0];
  const how = {as: 'walk of favourites', frames: frames.length, frame_secs: frameSecs, size};
  const recipe = picture ? madeBy(given, picture, how) : given;
  const grey = frames.every(({rgba}) => isGrey(rgba));
  const delay = little16(Math.round(100 * frameSecs));
  const images = frames.flatMap(({rgba}) => [
    Uint8Array.from([
      0x21,
      0xf9,
      4,
      0,
      ...delay,
      0,
      0,
      0x2c,
      0,
      0,
      0,
      0,
      ...little16(width),
      ...little16(height),
      0,
    ]),
    packed(indices(rgba, grey)),
  ]);
  return joined(
    'GIF89a',
    Uint8Array.from([...little16(width), ...little16(height), 0xf7, 0, 0]),
    palette(grey),
    Uint8Array.from(FOREVER),
    ...(recipe ? [extension(recipe)] : []),
    ...images,
    Uint8Array.from([0x3b]),
  );
}

// XMP stands in a GIF as it is. For readers who take its letters for lengths of blocks there is a
// row of bytes after it, from each of which they come to the end.
function extension(recipe) {
  const trailer = [1, ...Array.from({length: 256}, (_, i) => 255 - i), 0];
  return joined(Uint8Array.from(XMP), xmp(recipe), Uint8Array.from(trailer));
}

function palette(grey) {
  if (grey) return Uint8Array.from({length: 768}, (_, i) => Math.floor(i / 3));
  const found = new Uint8Array(768);
  const [red, green, blue] = LEVELS;
  for (let i = 0; i < red * green * blue; i++) {
    const parts = [Math.floor(i / (green * blue)), Math.floor(i / blue) % green, i % blue];
    parts.forEach(
      (part, axis) => (found[3 * i + axis] = Math.round((255 * part) / (LEVELS[axis] - 1))),
    );
  }
  return found;
}

function indices(rgba, grey) {
  const nearest = (level, axis) => Math.round((level / 255) * (LEVELS[axis] - 1));
  return Uint8Array.from({length: rgba.length / 4}, (_, i) => {
    if (grey) return rgba[4 * i];
    const [red, green, blue] = [0, 1, 2].map((axis) => nearest(rgba[4 * i + axis], axis));
    return (red * LEVELS[1] + green) * LEVELS[2] + blue;
  });
}

// LZW codes of pixels, in blocks of 255 bytes (Welch 1984, as CompuServe packed it in 1987).
function packed(pixels) {
  const bytes = [];
  let [held, count, bits] = [0, 0, BITS + 1];
  const write = (code) => {
    held |= code << count;
    for (count += bits; count >= 8; count -= 8, held >>>= 8) bytes.push(held & 255);
  };
  let known = new Map();
  let next = END + 1;
  write(CLEAR);
  let prefix = pixels[0];
  for (let i = 1; i < pixels.length; i++) {
    const key = (prefix << 8) | pixels[i];
    const code = known.get(key);
    if (code !== undefined) {
      prefix = code;
      continue;
    }
    write(prefix);
    if (next < MOST_CODES) {
      if (next === 1 << bits) bits += 1;
      known.set(key, next++);
    } else {
      write(CLEAR);
      [known, next, bits] = [new Map(), END + 1, BITS + 1];
    }
    prefix = pixels[i];
  }
  write(prefix);
  // A reader has one code more by now, and reads the end as wide as that takes.
  if (next === 1 << bits && bits < 12) bits += 1;
  write(END);
  if (count) bytes.push(held & 255);
  const blocks = [BITS];
  for (let i = 0; i < bytes.length; i += 255) {
    const block = bytes.slice(i, i + 255);
    blocks.push(block.length, ...block);
  }
  return Uint8Array.from([...blocks, 0]);
}
