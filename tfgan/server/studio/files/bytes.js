// Bytes of files: texts, numbers, checks and packed data.

const CRC_POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++)
    value = value & 1 ? CRC_POLYNOMIAL ^ (value >>> 1) : value >>> 1;
  return value;
});

// The CRC-32 of PNG and of zip files.
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// One array of arrays of bytes, and of texts, which become UTF-8.
export function joined(...parts) {
  const arrays = parts.map((part) => (typeof part === 'string' ? utf8(part) : part));
  const found = new Uint8Array(arrays.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of arrays) {
    found.set(each, at);
    at += each.length;
  }
  return found;
}

export const utf8 = (text) => new TextEncoder().encode(text);

// The text of bytes in UTF-8, null if they are none.
export function textOf(bytes) {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    return null;
  }
}

// Bytes as a text with a letter for each, in which one can look for others.
export function latin1(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}

export const big32 = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
export const little16 = (number) => [number & 255, (number >>> 8) & 255];
export const little32 = (number) => [...little16(number), ...little16(number >>> 16)];

export function readBig32(bytes, at) {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

// Bytes packed as zlib does.
export async function deflated(bytes) {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

export function base64(bytes) {
  return btoa(latin1(bytes));
}
