// What all models of the page have in common, whatever they make: their names, classes and seeds.

import {classes, normal} from './latents.js';

export class Facts {
  constructor(header) {
    this.name = header.name;
    this.sha256 = header.sha256;
    this.licence = header.licence;
    this.software = header.software;
    this.classNames = header.class_names;
    this.classCounts = header.class_counts;
    this.shape = header.shape;
    this.latentSize = header.config.latent_size;
  }

  latentsOf(seed, truncation = 1) {
    return normal(BigInt(seed), this.latentSize, truncation);
  }

  labelOf(seed) {
    return classes(BigInt(seed), this.classCounts);
  }

  itemLatents(item) {
    if (item.latents) return Float32Array.from(item.latents);
    return this.latentsOf(BigInt(item.seed), item.truncation ?? 1);
  }
}
