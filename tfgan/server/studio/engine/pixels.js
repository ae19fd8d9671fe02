// Generators of pixels, as tfgan/networks/mlp.py and conv.py have them.

import {slerp} from './latents.js';
import {Trunk, conv, convTranspose, dense, leaky} from './layers.js';
import {onTheWay} from './pen.js';

const MOST_CHANNELS = 512;
const SQUASH = {linear: (x) => x, tanh: Math.tanh};

class Pixels {
  // Levels around [-1, 1] of latents and a label, or shares of the classes.
  image(latents, label) {
    return this.levels(this.trunk.call(latents, label)).map(this.squash);
  }

  imageBetween(first, second, share, label, toLabel = label) {
    return this.image(slerp(first, second, share), onTheWay(label, toLabel, share));
  }
}

export class Mlp extends Pixels {
  constructor(tensors, config) {
    super();
    this.squash = SQUASH[config.output];
    this.trunk = new Trunk(tensors, config.depth);
    this.pixels = tensors.affine();
  }

  levels(features) {
    return dense(this.pixels, features);
  }
}

export class Convolutional extends Pixels {
  constructor(tensors, config, shape) {
    super();
    this.squash = SQUASH[config.output];
    this.shape = shape;
    this.trunk = new Trunk(tensors, config.depth);
    this.start = tensors.affine();
    this.coarsest = coarsestOf(shape, config.channels);
    const ups = Array.from({length: this.coarsest.levels - 1});
    this.ups = ups.map(() => ({main: tensors.affine(), shortcut: {kernel: tensors.take()}}));
    this.pixels = tensors.affine();
  }

  levels(features) {
    let map = {...this.coarsest, values: dense(this.start, features)};
    for (const up of this.ups) map = grown(map, up);
    return cropped(convTranspose(this.pixels, leakyMap(map)), this.shape);
  }
}

function coarsestOf([height, width], channels) {
  let levels = 0;
  while (!levels || Math.min(height, width) >= 8) {
    [height, width, levels] = [Math.ceil(height / 2), Math.ceil(width / 2), levels + 1];
  }
  return {height, width, levels, channels: Math.min(channels << (levels - 1), MOST_CHANNELS)};
}

const leakyMap = (map) => ({...map, values: leaky(Float64Array.from(map.values))});

// A map of twice the sides: a copy, and what is learned to be added to it.
function grown(map, {main, shortcut}) {
  const copy = conv(shortcut, map, 1);
  const found = convTranspose(main, leakyMap(map));
  for (let y = 0; y < found.height; y++) {
    for (let x = 0; x < found.width; x++) {
      const from = ((y >> 1) * copy.width + (x >> 1)) * copy.channels;
      const to = (y * found.width + x) * found.channels;
      for (let i = 0; i < found.channels; i++) found.values[to + i] += copy.values[from + i];
    }
  }
  return found;
}

function cropped({width, values}, [rows, columns, channels]) {
  const found = new Float64Array(rows * columns * channels);
  for (let row = 0; row < rows; row++) {
    const from = row * width * channels;
    found.set(values.subarray(from, from + columns * channels), row * columns * channels);
  }
  return found;
}
