// Files of drawings.

import {fileNameOf} from './items.js';

export function saveAll() {}
export function saveWalk() {}
export function mount() {}
