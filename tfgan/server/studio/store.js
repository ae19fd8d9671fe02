// The state of the studio: plain JSON that is never changed, only followed by another one.
//
// An action is a pure function (state, payload) -> state. Whatever one does is an action, so that
// all of it can be undone; one that gives back the very state it was given did nothing.

export function createStore(state, actions) {
  const past = [];
  const future = [];
  const listeners = new Set();
  let gesture = null;

  function become(next, change) {
    state = next;
    for (const listener of [...listeners]) listener(state, change);
  }

  function travel(from, to, way) {
    if (!from.length) return null;
    const step = from.pop();
    to.push({name: step.name, state});
    gesture = null;
    become(step.state, {name: step.name, way});
    return step.name;
  }

  return {
    get state() {
      return state;
    },

    get canUndo() {
      return past.length > 0;
    },

    get canRedo() {
      return future.length > 0;
    },

    // Actions in a row that name the same gesture, such as the moves of one slider, are one step.
    dispatch(name, payload, ofGesture = null) {
      if (!Object.hasOwn(actions, name)) throw new Error(`no action ${JSON.stringify(name)}`);
      const next = actions[name](state, payload);
      if (next === state) return;
      if (ofGesture === null || ofGesture !== gesture) past.push({name, state});
      gesture = ofGesture;
      future.length = 0;
      become(next, {name, way: 'do'});
    },

    // Goes back a step, or forth again: the name of its action, or null where there is none.
    undo: () => travel(past, future, 'undo'),
    redo: () => travel(future, past, 'redo'),

    // Calls a function of (state, change) after each change; the answer ends that.
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    // Calls a function with a part of the state now, and whenever that part is another one.
    select(part, listener) {
      let last = part(state);
      listener(last);
      return this.subscribe(() => {
        const next = part(state);
        if (Object.is(next, last)) return;
        last = next;
        listener(next);
      });
    },
  };
}

// All actions of modules in one table.
export function combined(...tables) {
  const all = {};
  for (const table of tables) {
    for (const [name, action] of Object.entries(table)) {
      if (Object.hasOwn(all, name)) throw new Error(`two actions have the name ${name}`);
      all[name] = action;
    }
  }
  return all;
}
