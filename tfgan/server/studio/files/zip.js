// Zip files of files as they are: pictures are packed already.

import {crc32, joined, little16, little32, utf8} from './bytes.js';

const DATE = (1 << 5) | 1; // 1 January 1980, the first that there is: one content is one file
const VERSION = 20; // of the format, which all programs read
const NAMES_ARE_UTF8 = 1 << 11;

// A zip file of [{name, bytes}].
export function zipBytes(files) {
  const [parts, entries] = [[], []];
  let at = 0;
  for (const {name, bytes} of files) {
    const path = utf8(name);
    const size = little32(bytes.length);
    const facts = [
      ...little16(VERSION),
      ...little16(NAMES_ARE_UTF8),
      0,
      0,
      0,
      0,
      ...little16(DATE),
      ...little32(crc32(bytes)),
      ...size,
      ...size,
      ...little16(path.length),
      0,
      0,
    ];
    const local = joined(Uint8Array.from([0x50, 0x4b, 3, 4, ...facts]), path, bytes);
    const place = [...new Array(10).fill(0), ...little32(at)];
    entries.push(
      joined(Uint8Array.from([0x50, 0x4b, 1, 2, ...little16(VERSION), ...facts, ...place]), path),
    );
    parts.push(local);
    at += local.length;
  }
  const directory = joined(...entries);
  const count = little16(files.length);
  const end = [
    0x50,
    0x4b,
    5,
    6,
    0,
    0,
    0,
    0,
    ...count,
    ...count,
    ...little32(directory.length),
    ...little32(at),
    0,
    0,
  ];
  return joined(...parts, directory, Uint8Array.from(end));
}
