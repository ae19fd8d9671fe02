// PNG files, which tell what made them in chunks.

import {big32, crc32, deflated, joined, latin1, utf8} from './bytes.js';
import {CHUNK, XMP_CHUNK, madeBy, recipeText, xmp} from './provenance.js';

const START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const [GREY, RGB] = [0, 2]; // PNG's colour types

// A PNG file of pixels as `pixelsOf` paints them; grey ones take a byte each.
export async function pngBytes({width, height, rgba, picture, size}, recipe) {
  const channels = isGrey(rgba) ? 1 : 3;
  const levels = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let i = 0; i < channels; i++) levels[channels * pixel + i] = rgba[4 * pixel + i];
  }
  return encoded(
    levels,
    height,
    width,
    channels,
    picture ? madeBy(recipe, picture, {size}) : recipe,
  );
}

// The PNG file of a drawing's own pixels.
export function imagePng({image, shape}, recipe = null) {
  return encoded(image, ...shape, recipe);
}

export function isGrey(rgba) {
  for (let i = 0; i < rgba.length; i += 4) {
    if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) return false;
  }
  return true;
}

async function encoded(levels, height, width, channels, recipe) {
  const row = width * channels;
  const filtered = new Uint8Array(height * (row + 1)); // Each row begins with 0: no filter.
  for (let y = 0; y < height; y++)
    filtered.set(levels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = [...big32(width), ...big32(height), 8, channels > 1 ? RGB : GREY, 0, 0, 0];
  return joined(
    Uint8Array.from(START),
    chunk('IHDR', Uint8Array.from(header)),
    ...(recipe ? recipeChunks(recipe) : []),
    chunk('IDAT', await deflated(filtered)),
    chunk('IEND', new Uint8Array()),
  );
}

function recipeChunks(recipe) {
  return [
    chunk('iTXt', utf8(`${XMP_CHUNK}\0\0\0\0\0${xmp(recipe, false)}`)),
    chunk('tEXt', utf8(`${CHUNK}\0${recipeText(recipe)}`)),
  ];
}

function chunk(name, body) {
  const checked = joined(name, body);
  return joined(
    Uint8Array.from(big32(body.length)),
    checked,
    Uint8Array.from(big32(crc32(checked))),
  );
}

// Another PNG file, such as a person's, with a recipe instead of the one it may have.
export function stampedPng(bytes, recipe) {
  const parts = [bytes.subarray(0, 33), ...recipeChunks(recipe)];
  for (let at = 33; at + 12 <= bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at) + 12;
    const name = latin1(bytes.subarray(at + 4, at + 8));
    if (!['tEXt', 'iTXt'].includes(name)) parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return joined(...parts);
}
