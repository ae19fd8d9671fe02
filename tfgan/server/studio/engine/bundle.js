// A bundle: a gzip'd header and tensors, as tfgan/saved_model/bundle.py writes them.

const MAGIC = 'TFGANST1';
const HEADER_AT = MAGIC.length + 4; // after the magic and the header's length

async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// {header, generator, encoder}: both networks' tensors as {shape, values: Float32Array}.
export async function openBundle(bytes) {
  const data = await unpacked(bytes);
  const text = new TextDecoder();
  if (text.decode(data.subarray(0, MAGIC.length)) !== MAGIC) throw new Error('no model of tfgan');
  const end = HEADER_AT + new DataView(data.buffer).getUint32(MAGIC.length, true);
  const header = JSON.parse(text.decode(data.subarray(HEADER_AT, end)));
  const networks = {generator: [], encoder: []};
  let at = end;
  for (const {network, dtype, shape, scale} of header.tensors) {
    const size = shape.reduce((product, side) => product * side, 1);
    const stored = data.subarray(at, at + size * BYTES[dtype]);
    networks[network].push({shape, values: READERS[dtype](stored, size, scale)});
    at += stored.length;
  }
  if (at !== data.length) throw new Error('the model is not whole');
  return {header, ...networks};
}

const BYTES = {float32: 4, float16: 2, int8: 1};

const READERS = {
  float32: (stored, size) => new Float32Array(joined(stored, size, 4).buffer),
  float16: (stored, size) => {
    const halves = new Uint16Array(joined(stored, size, 2).buffer);
    const values = halfValues();
    return Float32Array.from(halves, (half) => values[half]);
  },
  int8: (stored, size, scale) => {
    const levels = new Int8Array(stored.buffer, stored.byteOffset, size);
    return Float32Array.from(levels, (level, i) => level * scale[i % scale.length]);
  },
};

// Numbers of which all first bytes come first, then all second ones: gzip packs them better so.
function joined(stored, size, bytes) {
  const found = new Uint8Array(stored.length);
  for (let byte = 0; byte < bytes; byte++) {
    for (let i = 0; i < size; i++) found[bytes * i + byte] = stored[size * byte + i];
  }
  return found;
}

let halves = null;

// The value of each float16, by its bits.
function halfValues() {
  halves ??= Float32Array.from({length: 1 << 16}, (_, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent
      ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
      : sign * 2 ** -14 * (fraction / 1024);
  });
  return halves;
}
