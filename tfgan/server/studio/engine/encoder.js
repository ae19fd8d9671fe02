// An encoder, as tfgan/networks/encoder.py has it: an image to latents and logits of the classes.

import {averagePool, concat, conv, dense, leaky} from './layers.js';

const LARGE = 32; // pixels of a longer side: of more, it sees halves as well
const DEPTH = 3; // of its dense layers
const STRIDES = {first: 4, others: 2};

export class Encoder {
  constructor(tensors, shape) {
    this.shape = shape;
    this.halvings = Math.max(0, Math.ceil(Math.log2(Math.max(shape[0], shape[1]) / LARGE)));
    this.ground = tensors.take().values;
    this.patches = tensors.affine();
    this.coarser = tensors.many(this.halvings);
    this.hidden = tensors.many(DEPTH);
    this.latents = tensors.affine();
    this.logits = tensors.affine();
  }

  // {latents, logits} of an image uint8 [h * w * c], which is seen where `known` [h * w] is 1.
  call(image, known) {
    const ink = this.ink(image, known);
    let patches = this.leakyConv(this.patches, withKnown(ink, known), STRIDES.first);
    for (const layer of this.coarser) patches = this.leakyConv(layer, patches, STRIDES.others);
    const pixels = this.halvings ? averagePool(ink, 1 << this.halvings) : ink;
    let hidden = concat(patches.values, pixels.values);
    for (const layer of this.hidden) hidden = leaky(dense(layer, hidden));
    return {
      latents: Float32Array.from(dense(this.latents, hidden)),
      logits: dense(this.logits, hidden),
    };
  }

  ink(image, known) {
    const [height, width, channels] = this.shape;
    const values = Float64Array.from(image, (level, i) => {
      return (level / 127.5 - 1 - this.ground[i % channels]) * known[Math.floor(i / channels)];
    });
    return {height, width, channels, values};
  }

  leakyConv(layer, map, stride) {
    const found = conv(layer, map, stride);
    leaky(found.values);
    return found;
  }
}

// A map with what is known of it as one more channel.
function withKnown({height, width, channels, values}, known) {
  const found = new Float64Array(height * width * (channels + 1));
  for (let pixel = 0; pixel < height * width; pixel++) {
    const to = pixel * (channels + 1);
    for (let i = 0; i < channels; i++) found[to + i] = values[pixel * channels + i];
    found[to + channels] = known[pixel];
  }
  return {height, width, channels: channels + 1, values: found};
}
