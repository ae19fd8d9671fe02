// A placeholder.

export const actions = {};

export function mount() {}
