// What made a file: its recipe, as tfgan/provenance.py writes and reads it.
//
// A recipe is {software, model, sha256, licence, source, by, drawings: [{seed or latents, label,
// truncation, ...}], ...}. The seeds of recipes are texts here, for they have 64 bits, and numbers in
// files. PNG has it in a chunk of its own, MIDI in a text of its first track, all else within XMP,
// which tells the rest to any program.

import {joined, latin1, readBig32, textOf} from './bytes.js';

export const TRAINED = 'trainedAlgorithmicMedia';
export const COMPOSITE = 'compositeWithTrainedAlgorithmicMedia'; // a person's drawing is in it
export const CHUNK = 'tfgan'; // the keyword of the PNG chunk that has a recipe
export const XMP_CHUNK = 'XML:com.adobe.xmp';
const SOURCES = 'http://cv.iptc.org/newscodes/digitalsourcetype/';
const NAMESPACE = 'urn:tfgan:';
const MOST_LETTERS = 16 << 20; // of a recipe, as files from strangers have it
const MOST_BYTES = 64 << 20; // of a file that is looked into
const MOST_DRAWINGS = 100_000;
const MOST_LATENTS = 1 << 16;
const MOST_NAME = 1000; // letters of a name in it
const SEED = /"seed":\s*(-?\d+)/g; // In a text within JSON its quotes would be escaped.
const SEED_AS_TEXT = /"seed":"(-?\d+)"/g;
const STARTS = [
  ['png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['gif', [0x47, 0x49, 0x46, 0x38]],
  ['pdf', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['webp', [0x52, 0x49, 0x46, 0x46]],
  ['midi', [0x4d, 0x54, 0x68, 0x64]],
];
export const RECIPE_FIELD = 'tfgan:recipe'; // the start of MIDI's text

// The recipe of items of a model; `more` is what else made the file, such as {scene}, or another
// {source}. What writes the file adds how that is done, such as {as, size, paper}.
export function recipeOf(model, items, more = {}) {
  const {software, name, sha256, licence} = model;
  const drawings = items.map((item) => drawingOf(item, model.classNames));
  return {software, model: name, sha256, licence, source: TRAINED, by: 'studio', drawings, ...more};
}

function drawingOf({id, seed, latents, label, kept, ...others}, names) {
  const from = latents ? {latents: Array.from(latents, shortest)} : {seed: String(seed)};
  const parts = kept?.of ? {kept: {...kept, of: drawingOf(kept.of, names)}} : {};
  return {...from, label: names[label], ...others, ...parts};
}

// The shortest number that is the same one in 32 bits.
const shortest = (number) => Number(Math.fround(number).toPrecision(9));

// The items of a recipe, as the model takes them; null for a drawing of a class that it lacks.
export function itemsOf(recipe, model) {
  return recipe.drawings.map((drawing, i) => {
    const item = itemOf(drawing, model);
    return item && {id: `file-${i}`, ...item};
  });
}

function itemOf({label, kept, ...others}, model) {
  const {seed, latents} = others;
  const number =
    label === undefined && seed ? model.labelOf(BigInt(seed)) : model.classNames.indexOf(label);
  if (number < 0 || (latents ?? {length: model.latentSize}).length !== model.latentSize)
    return null;
  if (!kept) return {...others, label: number};
  const of = isDrawing(kept.of) && Array.isArray(kept.strokes) ? itemOf(kept.of, model) : null;
  return of && {...others, label: number, kept: {...kept, of}};
}

// A recipe with how a picture was made of its drawings; null of none.
export function madeBy(recipe, picture, how) {
  if (!recipe) return null;
  const isScene = picture.parts.some(({isBare}) => isBare);
  const made = picture.parts.some(({drawing}) => drawing.image) ? 'pixels' : 'strokes';
  const {columns} = picture;
  return {...recipe, as: isScene ? 'scene' : made, ...(columns ? {columns} : {}), ...how};
}

// What made a file, in words for a person.
export function sentence({software, model, source}) {
  const [by, kind] = [model ? ` with the model ${model}` : '', source && `: ${SOURCES}${source}`];
  return `Made by ${software}${by}${kind || ''}`;
}

// A recipe as JSON in ASCII.
export function recipeText(recipe) {
  const text = JSON.stringify(recipe).replace(SEED_AS_TEXT, '"seed":$1');
  return text.replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
// What XML cannot have at all, however it is written.
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

// A text in XML, between elements.
export const escaped = (text) =>
  text.replace(FORBIDDEN, '\ufffd').replace(/[&<>]/g, (c) => ESCAPES[c]);

// And in an attribute.
export const attribute = (text) => escaped(String(text)).replaceAll('"', '&quot;');

// The RDF of an XMP packet, with the recipe in it or without.
export function rdf(recipe, whole = true) {
  const property = (name, text) => (text ? `<${name}>${escaped(text)}</${name}>\n` : '');
  const rights =
    recipe.licence &&
    `<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">${escaped(
      recipe.licence,
    )}</rdf:li></rdf:Alt></dc:rights>\n`;
  return `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"\
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"\
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:tfgan="${NAMESPACE}">
${property('xmp:CreatorTool', recipe.software)}${rights || ''}${property(
    'Iptc4xmpExt:DigitalSourceType',
    recipe.source && SOURCES + recipe.source,
  )}${property('tfgan:recipe', whole && recipeText(recipe))}</rdf:Description>
</rdf:RDF>`;
}

// An XMP packet.
export function xmp(recipe, whole = true) {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
${rdf(recipe, whole)}
</x:xmpmeta>
<?xpacket end="w"?>`;
}

// The recipe of a file's bytes, null if it has none or what it has is none.
export function read(bytes) {
  if (bytes.length > MOST_BYTES) return null;
  const [kind] = STARTS.find(([, start]) => start.every((byte, i) => bytes[i] === byte)) ?? ['svg'];
  const text = (OTHERS[kind] ?? ((data) => fromXml(kind, data)))(bytes);
  return text === null ? null : parsed(text);
}

function fromPng(bytes) {
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = readBig32(bytes, at);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (latin1(bytes.subarray(at + 4, at + 8)) === 'tEXt' && body[CHUNK.length] === 0) {
      if (latin1(body.subarray(0, CHUNK.length)) === CHUNK)
        return latin1(body.subarray(CHUNK.length + 1));
    }
    at += length + 12;
  }
  return null;
}

// JPEG has it in comments, for a segment takes 64 KiB at most.
function fromJpeg(bytes) {
  const comments = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda;) {
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (bytes[at + 1] === 0xfe) comments.push(bytes.subarray(at + 4, at + 2 + length));
    at += Math.max(2, length) + 2;
  }
  return comments.length ? latin1(joined(...comments)) : null;
}

// The text that begins as ours does, in whichever track another program has put it.
function fromMidi(bytes) {
  const text = latin1(bytes);
  const found = /\xff\x01([\x80-\xff]{0,3}[\0-\x7f])tfgan:recipe /.exec(text);
  if (!found) return null;
  const length = [...found[1]].reduce((sum, each) => (sum << 7) | (each.charCodeAt(0) & 0x7f), 0);
  const start = found.index + 2 + found[1].length;
  return text.slice(start, start + length).slice(RECIPE_FIELD.length + 1);
}

const OTHERS = {png: fromPng, jpeg: fromJpeg, midi: fromMidi};

// In files of other kinds, and in SVG written anew, the namespace may have another prefix. It is looked
// for in the text, because a parser complains of what a page may not have, as of styles in an SVG file.
const PREFIX = /xmlns:([\w.-]+)\s*=\s*["']urn:tfgan:["']/;
const ENTITY = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));/gi;
const ENTITIES = {amp: '&', lt: '<', gt: '>', quot: '"', apos: "'"};

function fromXml(kind, bytes) {
  const text = kind === 'svg' ? textOf(bytes) : latin1(bytes);
  const prefix = text === null ? null : PREFIX.exec(text)?.[1];
  if (!prefix) return null;
  const name = `${prefix}:recipe`.replaceAll('.', '\\.');
  const found = new RegExp(`<${name}(?:\\s[^<>]*)?>([^<]*)</${name}\\s*>`).exec(text);
  return (
    found &&
    found[1].replace(ENTITY, (_, hexadecimal, decimal, known) => {
      if (known) return ENTITIES[known.toLowerCase()];
      return letter(hexadecimal ? parseInt(hexadecimal, 16) : Number(decimal));
    })
  );
}

const letter = (code) => (code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd');

function parsed(text) {
  if (text.length > MOST_LETTERS) return null;
  try {
    const recipe = JSON.parse(text.replace(SEED, '"seed":"$1"'));
    return isRecipe(recipe) ? recipe : null;
  } catch {
    return null;
  }
}

const isText = (value) =>
  (value ?? '') === '' || (typeof value === 'string' && value.length <= MOST_NAME);

function isRecipe(recipe) {
  const {software, model, sha256, licence, source, drawings} = recipe ?? {};
  return (
    typeof software === 'string' &&
    [software, model, sha256, licence, source].every(isText) &&
    Array.isArray(drawings) &&
    drawings.length <= MOST_DRAWINGS &&
    drawings.every(isDrawing)
  );
}

function isDrawing(drawing) {
  const {seed, latents, label, truncation} = drawing ?? {};
  const isSeed = typeof seed === 'string' && BigInt.asIntN(64, BigInt(seed)) === BigInt(seed);
  const areLatents =
    Array.isArray(latents) &&
    latents.length > 0 &&
    latents.length <= MOST_LATENTS &&
    latents.every(Number.isFinite);
  const isShare =
    truncation === undefined || truncation === null || (truncation >= 0 && truncation <= 1);
  return (isSeed || areLatents) && isText(label) && isShare;
}
