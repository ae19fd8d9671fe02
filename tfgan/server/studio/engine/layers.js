// Layers as Keras computes them, for one example: maps are [height, width, channels], row by row.

export const LEAK = 0.2; // the slope of a leaky ReLU below zero

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// A reader of a network's tensors, one after the other in the order of Keras.
export function reader(tensors) {
  let next = 0;
  const take = () => tensors[next++];
  return {
    take,
    affine: () => ({kernel: take(), bias: take()}),
    many(count) {
      return Array.from({length: count}, () => this.affine());
    },
    done() {
      if (next !== tensors.length) throw new Error('tensors are left over');
    },
  };
}

// Inputs of numbers to as many outputs as a dense layer has, a Float64Array.
export function dense({kernel, bias}, inputs) {
  const [size, count] = kernel.shape;
  const weights = kernel.values;
  const outputs = Float64Array.from(bias.values);
  let i = 0;
  for (; i + 3 < size; i += 4) {
    // four inputs at a time take two thirds of the time
    const a = inputs[i];
    const b = inputs[i + 1];
    const c = inputs[i + 2];
    const d = inputs[i + 3];
    let row = i * count;
    for (let j = 0; j < count; j++, row++) {
      outputs[j] +=
        a * weights[row] +
        b * weights[row + count] +
        c * weights[row + 2 * count] +
        d * weights[row + 3 * count];
    }
  }
  for (; i < size; i++) {
    for (let j = 0; j < count; j++) outputs[j] += inputs[i] * weights[i * count + j];
  }
  return outputs;
}

// In place.
export function leaky(hidden) {
  for (let i = 0; i < hidden.length; i++) if (hidden[i] < 0) hidden[i] *= LEAK;
  return hidden;
}

export function concat(...parts) {
  const found = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}

// The features of latents and a label, or shares of the classes, as networks/layers.py's Trunk.
export class Trunk {
  constructor(tensors, depth) {
    this.embedding = tensors.take();
    this.hidden = tensors.many(depth);
  }

  call(latents, label) {
    return this.hidden.reduce(
      (hidden, layer) => leaky(dense(layer, hidden)),
      concat(latents, this.embedded(label)),
    );
  }

  embedded(label) {
    const [, size] = this.embedding.shape;
    const rows = this.embedding.values;
    if (typeof label === 'number') return rows.subarray(label * size, (label + 1) * size);
    const found = new Float64Array(size);
    label.forEach((share, row) => {
      for (let i = 0; share && i < size; i++) found[i] += share * rows[row * size + i];
    });
    return found;
  }
}

// What a convolution of padding "same" makes of a map, its sides divided by the stride, rounded up.
export function conv({kernel, bias}, map, stride) {
  const [size, , channels, count] = kernel.shape;
  const weights = kernel.values;
  const [height, width] = [Math.ceil(map.height / stride), Math.ceil(map.width / stride)];
  const [top, left] = [before(map.height, height), before(map.width, width)];
  const values = new Float64Array(height * width * count);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * count;
      if (bias) for (let j = 0; j < count; j++) values[to + j] = bias.values[j];
      for (let ky = 0; ky < size; ky++) {
        const row = y * stride + ky - top;
        if (row < 0 || row >= map.height) continue;
        for (let kx = 0; kx < size; kx++) {
          const column = x * stride + kx - left;
          if (column < 0 || column >= map.width) continue;
          const from = (row * map.width + column) * channels;
          const kernelRow = (ky * size + kx) * channels;
          multiply(map.values, from, weights, kernelRow, channels, values, to, count);
        }
      }
    }
  }
  return {height, width, channels: count, values};

  function before(side, outputs) {
    return Math.max((outputs - 1) * stride + size - side, 0) >> 1;
  }
}

// Adds a pixel's product with a kernel [channels, count] to the pixel of a result.
function multiply(inputs, from, weights, row, channels, outputs, to, count) {
  for (let i = 0; i < channels; i++) {
    const input = inputs[from + i];
    if (input === 0) continue;
    const weight = (row + i) * count;
    for (let j = 0; j < count; j++) outputs[to + j] += input * weights[weight + j];
  }
}

const TWICE = 2; // the stride of a transposed convolution, whose kernel is [4, 4, count, channels]

// What a transposed convolution of padding "same" makes of a map: one of twice its sides.
export function convTranspose({kernel, bias}, map) {
  const [size, , count, channels] = kernel.shape;
  const weights = kernel.values;
  const [height, width] = [TWICE * map.height, TWICE * map.width];
  const edge = (size - TWICE) >> 1;
  const values = new Float64Array(height * width * count);
  for (let i = 0; i < values.length; i++) values[i] = bias.values[i % count];
  for (let y = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++) {
      const from = (y * map.width + x) * channels;
      for (let ky = 0; ky < size; ky++) {
        const row = TWICE * y + ky - edge;
        if (row < 0 || row >= height) continue;
        for (let kx = 0; kx < size; kx++) {
          const column = TWICE * x + kx - edge;
          if (column < 0 || column >= width) continue;
          const to = (row * width + column) * count;
          for (let j = 0; j < count; j++) {
            const weight = ((ky * size + kx) * count + j) * channels;
            let sum = 0;
            for (let i = 0; i < channels; i++) sum += map.values[from + i] * weights[weight + i];
            values[to + j] += sum;
          }
        }
      }
    }
  }
  return {height, width, channels: count, values};
}

// Means of squares of a map, those at the end of what is there.
export function averagePool(map, side) {
  const {channels} = map;
  const [height, width] = [Math.ceil(map.height / side), Math.ceil(map.width / side)];
  const values = new Float64Array(height * width * channels);
  // As convolutions of padding "same" have it, half of what is missing is before the first square.
  const [top, left] = [(height * side - map.height) >> 1, (width * side - map.width) >> 1];
  const counts = new Float64Array(height * width);
  for (let y = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++) {
      const square = Math.floor((y + top) / side) * width + Math.floor((x + left) / side);
      counts[square] += 1;
      for (let i = 0; i < channels; i++) {
        values[square * channels + i] += map.values[(y * map.width + x) * channels + i];
      }
    }
  }
  for (let i = 0; i < values.length; i++) values[i] /= counts[Math.floor(i / channels)];
  return {height, width, channels, values};
}

// A new state of a gated recurrent unit, as networks/recurrent.py has it.
export function gru({gates, candidate}, inputs, state) {
  const both = dense(gates, concat(inputs, state)).map(sigmoid);
  const size = state.length;
  const kept = state.map((each, i) => both[size + i] * each);
  const next = dense(candidate, concat(inputs, kept)).map(Math.tanh);
  return next.map((each, i) => both[i] * state[i] + (1 - both[i]) * each);
}
