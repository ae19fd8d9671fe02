// A model of tfgan in the page: seeds, latents and images to drawings, equal to its SavedModel.
// Models of music are in engine/music.js.
//
// A drawing of a pen is {strokes: [{index, points: [[x, y], ...], width, colour: '#rrggbb'}],
// absent: [widths of strokes that are not there], paper: '#rrggbb', shape}, on a page whose longer
// side is 1 and whose middle is (0.5, 0.5); `index` is a stroke's place among all of a drawing's.
// `samples` of each stroke make the image, 32 if it is not there. One of pixels is
// {image: Uint8Array [h * w * c], paper, shape}.
//
// An item is {seed or latents, label, truncation, sliders: {name: value}, kept: {strokes: [index],
// of: item}, edits: {index: {gone, points, width}}}: what is kept are strokes of another item, in
// place of its own ones, and edits are of single strokes.

import {openBundle} from './bundle.js';
import {Encoder} from './encoder.js';
import {Facts} from './facts.js';
import {reader} from './layers.js';
import {withLineEdits} from './line_edits.js';
import {MusicModel} from './music.js';
import {Pen, SAMPLES} from './pen.js';
import {Convolutional, Mlp} from './pixels.js';
import {draw} from './raster.js';
import {edited, moved, valuesOf} from './sliders.js';

const SEEN = 9; // drawings by which a model's paper is known

const GENERATORS = {
  mlp: Mlp,
  recurrent: Mlp,
  hybrid: Convolutional,
  conv: Convolutional,
  pen: Pen,
  pen_gru: Pen,
};

export async function openModel(bytes) {
  const bundle = await openBundle(bytes);
  return bundle.header.form === 'music' ? new MusicModel(bundle) : new Model(bundle);
}

class Model extends Facts {
  constructor({header, generator, encoder}) {
    super(header);
    const {config} = header;
    this.sliders = header.sliders;
    const tensors = reader(generator());
    this.generator = new GENERATORS[header.architecture](
      tensors,
      {...config, architecture: header.architecture},
      header.shape,
    );
    tensors.done();
    this.isMusic = false;
    this.isPen = this.generator instanceof Pen;
    this.hasEncoder = encoder !== null;
    this.makeEncoder = () => new Encoder(reader(encoder()), header.shape);
    this.encoder = null; // until it is asked
    this.paper = this.paperOf();
  }

  paperOf() {
    if (this.isPen) return hexadecimal(this.generator.ground);
    const seen = Array.from({length: SEEN}, (_, seed) => {
      return levels(this.generator.image(this.latentsOf(seed), this.labelOf(seed)));
    });
    return commonestCorner(seen, this.shape[2]);
  }

  draw(latents, label) {
    return this.drawing(this.generator[this.isPen ? 'strokes' : 'image'](latents, label));
  }

  // The drawing at a share of the way from latents and a label to others.
  drawBetween(first, second, share, label, toLabel = label) {
    const way = [first, second, share, label, toLabel];
    const between = this.isPen ? 'strokesBetween' : 'imageBetween';
    return this.drawing(this.generator[between](...way));
  }

  drawing(made) {
    const [paper, shape] = [this.paper, this.shape];
    if (!this.isPen) return {image: levels(made), paper, shape};
    const channels = made.colour.length > 1 ? shape[2] : 0; // else all have one colour
    const [strokes, absent] = [[], []];
    for (let index = 0; index < made.count; index++) {
      if (!made.present[index]) {
        absent.push(made.width[index]);
        continue;
      }
      const from = 2 * made.pointCount * index;
      const points = Array.from({length: made.pointCount}, (_, i) => {
        return [made.points[from + 2 * i], made.points[from + 2 * i + 1]];
      });
      const own = channels * index;
      const colour = channels ? made.colour.slice(own, own + channels) : made.colour;
      strokes.push({index, points, width: made.width[index], colour: hexadecimal(colour)});
    }
    return {strokes, absent, paper, shape};
  }

  // The image uint8 [h * w * c] that the SavedModel makes of a drawing, to one grey level.
  pixels(drawing) {
    if (drawing.image) return drawing.image;
    const [height, width, channels] = drawing.shape;
    const ground = fromHexadecimal(drawing.paper, channels);
    const strokes = flat(drawing.strokes, drawing.absent, channels);
    return levels(draw(strokes, ground, height, width, drawing.samples ?? SAMPLES));
  }

  // {latents, label, scores}: what an image uint8 [h * w * c] is drawn from, at a guess.
  //
  // It is looked at where `known` [h * w] is 1. Scores are the classes' probabilities.
  encode(image, known) {
    this.encoder ??= this.makeEncoder();
    const {latents, logits} = this.encoder.call(image, known);
    const most = Math.max(...logits);
    const odds = logits.map((each) => Math.exp(each - most));
    const sum = odds.reduce((total, each) => total + each, 0);
    return {latents, label: logits.indexOf(most), scores: odds.map((each) => each / sum)};
  }

  // The drawing of an item: the only way from what files, sessions and undo hold to a drawing.
  itemDrawing(item) {
    const sliders = this.sliders?.sliders ?? [];
    const values = valuesOf(sliders, item.sliders);
    const isMoved = values.some((value, i) => value !== sliders[i].default);
    const latents = this.itemLatents(item);
    const isEdit = sliders[0]?.kind === 'edit';
    const from = isMoved && !isEdit ? moved(latents, item.label, sliders, values) : latents;
    const drawing = withKept(this.draw(from, item.label), item.kept, this);
    const slid = isMoved && isEdit ? edited(drawing, sliders, values) : drawing;
    return withLineEdits(slid, item.edits);
  }
}

// A drawing with the kept strokes of another one in place of its own.
function withKept(drawing, kept, model) {
  if (!kept?.strokes.length || !drawing.strokes) return drawing;
  const isKept = ({index}) => kept.strokes.includes(index);
  const others = model.itemDrawing(kept.of).strokes.filter(isKept);
  const own = drawing.strokes.filter((stroke) => !isKept(stroke));
  return {...drawing, strokes: [...own, ...others].sort((a, b) => a.index - b.index)};
}

// Strokes of a drawing as `draw` takes them.
function flat(strokes, absent, channels) {
  const colours = strokes.map((stroke) => fromHexadecimal(stroke.colour, channels));
  const width = strokes.map((stroke) => stroke.width);
  return {
    count: strokes.length,
    pointCount: strokes[0]?.points.length ?? 0,
    points: strokes.flatMap((stroke) => stroke.points.flat()),
    width,
    pens: [...width, ...(absent ?? [])],
    present: strokes.map(() => 1),
    colour: channels > 1 ? colours.flat() : colours[0],
  };
}

// The commonest colour at the first corner of images.
function commonestCorner(images, channels) {
  const counts = new Map();
  for (const image of images) {
    const corner = [...image.subarray(0, channels)].map((level) => level / 127.5 - 1);
    const colour = hexadecimal(corner);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

// Levels uint8 of numbers around [-1, 1]: what lies outside saturates, and NaN is mid-grey.
function levels(numbers) {
  return Uint8Array.from(numbers, (each) => {
    const level = ((Number.isNaN(each) ? 0 : each) + 1) * 127.5;
    return Math.round(Math.min(255, Math.max(0, level)));
  });
}

// A colour like #00ff7f of one or three numbers in [-1, 1].
function hexadecimal(numbers) {
  const found = [...levels(numbers)].map((level) => level.toString(16).padStart(2, '0'));
  return `#${found.length === 1 ? found[0].repeat(3) : found.join('')}`;
}

function fromHexadecimal(colour, channels) {
  return Array.from({length: channels}, (_, i) => {
    return parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16) / 127.5 - 1;
  });
}
