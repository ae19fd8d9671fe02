// Gives a person a file of bytes, by the browser's own way to save.

import {el} from './dom.js';

const KEPT_MS = 60_000; // until the browser has surely saved a file

const TYPES = {
  gif: 'image/gif',
  json: 'application/json',
  mid: 'audio/midi',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  zip: 'application/zip',
};

export function save(name, content) {
  const type = TYPES[name.split('.').at(-1)];
  const url = URL.createObjectURL(new Blob([content], {type}));
  el('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
