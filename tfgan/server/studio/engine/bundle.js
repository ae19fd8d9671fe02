// A bundle: a gzip'd header and tensors, as tfgan/saved_model/bundle.py writes them.

const MAGIC = 'TFGANST1';
const HEADER_AT = MAGIC.length + 4; // after the magic and the header's length

async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// {header, generator, encoder}: functions that read both networks' tensors, each as {shape, values:
// Float32Array}. A page that draws has no need to read the encoder's at once.
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
    networks[network].push({shape, stored, dtype, scale});
    at += stored.length;
  }
  if (at !== data.length) throw new Error('the model is not whole');
  return {
    header,
    generator: () => networks.generator.map(readTensor),
    encoder: networks.encoder.length ? () => networks.encoder.map(readTensor) : null,
  };
}

// The bytes of a text in base64.
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

const BYTES = {float32: 4, float16: 2, int8: 1};
const READERS = {float32: ofSingles, float16: ofHalves, int8: ofLevels};

function readTensor({shape, stored, dtype, scale}) {
  const values = new Float32Array(stored.length / BYTES[dtype]);
  READERS[dtype](stored, values, scale);
  return {shape, values};
}

// Of numbers of several bytes all first ones come first, then all second ones: gzip packs them
// better so.
function ofSingles(stored, values) {
  const size = values.length;
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < size; i++) {
    const low = stored[i] | (stored[i + size] << 8);
    bits[i] = low | (stored[i + 2 * size] << 16) | (stored[i + 3 * size] << 24);
  }
}

// A float16 has a sign, five bits of an exponent and ten of a fraction; a float32 eight and 23.
function ofHalves(stored, values) {
  const size = values.length;
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < size; i++) {
    const high = stored[i + size];
    const [sign, magnitude] = [(high & 0x80) << 24, ((high & 0x7f) << 8) | stored[i]];
    if (magnitude < 0x400) {
      values[i] = (sign ? -magnitude : magnitude) * 2 ** -24; // of an exponent of zero
    } else {
      bits[i] = sign | ((magnitude << 13) + (112 << 23));
    }
  }
}

function ofLevels(stored, values, scale) {
  const levels = new Int8Array(stored.buffer, stored.byteOffset, stored.length);
  for (let i = 0, unit = 0; i < levels.length; i++, unit++) {
    if (unit === scale.length) unit = 0;
    values[i] = levels[i] * scale[unit];
  }
}
