// Where a scene has its things: squares on a page 1 wide, so that all relations hold.
//
// Things stand in rows, one above another: the lowest on the ground, and what flies or shines at
// the top. All are of one size, and none lies over another but for what is in front. The same
// caption always has the same layout. The package's tfgan/words/layout.py has the same rules.

export const WIDTH = 1; // of the page
export const HEIGHT = 0.75;
const MARGIN = 0.04;
const LARGEST = 0.4; // side of a thing
const GAP = 0.12; // between things, in their sides
const WIDEST_GAP = 0.3;
const TALLEST_GAP = 0.4; // between rows
const GROUND = 0.4; // of the room that a single row leaves, the part below it
const SKY_PLACE = 0.8; // of what shines alone in the sky
const FRONT = 0.72; // size of what is in front
const ASIDE = 0.2; // so far it is beside the middle of what it hides, in the sides of that
const LOWER = 0.1; // and so far below its ground
const MOST_ROWS = 3; // of things of one kind
const MOST_TRIES = 50_000; // of orders from left to right
const TINY = 1e-9;
const SEED_STEP = 1_000_003n; // between the drawings of a scene

// The squares of all things, what is behind first: [{thing, x, y, scale}], the middle and the side
// of each. Throws an Error whose message tells of relations that contradict each other.
export function layout(caption) {
  if (!caption.things.length) return [];
  const blocksOf = divided(caption);
  const blocks = blocksOf.flat();
  const related = relatedOf(caption, blocksOf);
  const depths = longest(
    blocks,
    related.fronts.map(([front, back]) => [back, front]),
  );
  for (const block of blocks) block.depth = depths.get(block);
  const stacks = groupsOf(blocks, related.fronts).map(newStack);
  const stackOf = new Map(stacks.flatMap((stack) => stack.blocks.map((block) => [block, stack])));
  const ofStacks = {};
  for (const [name, rows] of Object.entries(related)) {
    ofStacks[name] = rows.map((row) => row.map((block) => stackOf.get(block)));
  }
  setLevels(stacks, ofStacks, caption);
  const order = ordered(stacks, ofStacks);
  let side = shaped(blocks, order, false);
  spread(order, ofStacks, side);
  if (!holds(ofStacks, side)) {
    side = shaped(blocks, order, true);
    pack(order, side);
  }
  stand(order, side);
  blocks.sort((a, b) => a.depth - b.depth);
  for (const block of blocks) if (block.depth) putInFront(block, related.fronts);
  return blocks.flatMap(placesOf);
}

// The seeds of the drawings of a scene, BigInts, in the order of their places.
export function seeds(seed, count) {
  return Array.from({length: count}, (_, number) => seed + SEED_STEP * BigInt(number));
}

// So many of a thing, which stand together.
function newBlock(thing, count) {
  return {thing, count, depth: 0, columns: 1, left: 0, bottom: 0, side: 0};
}

function rightOf(block) {
  return block.left + block.columns * block.side;
}

// Its squares, the lowest row first; the last may be shorter and stands in the middle.
function placesOf(block) {
  const {thing, count, columns, side} = block;
  const middle = (block.left + rightOf(block)) / 2;
  return Array.from({length: count}, (_, number) => {
    const row = Math.floor(number / columns);
    const column = number % columns;
    const inRow = Math.min(columns, count - row * columns);
    const x = middle + (column + 0.5 - inRow / 2) * side;
    return {thing, x, y: block.bottom - (row + 0.5) * side, scale: side};
  });
}

// Blocks that stand in one place, one in front of another; sizes are in sides of a thing.
function newStack(blocks) {
  return {blocks, level: 0, left: 0, base: blocks.filter((block) => !block.depth)};
}

function widthOf(stack) {
  return total(stack.base.map((block) => block.columns));
}

function heightOf(stack) {
  const rows = stack.base.map((block) => Math.ceil(block.count / block.columns));
  return Math.max(...rows) + (hasFront(stack) ? LOWER : 0);
}

function hasFront(stack) {
  return stack.base.length < stack.blocks.length;
}

function total(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0);
}

// The blocks of each thing: two of one that another stands between.
function divided(caption) {
  const parted = new Set(
    caption.relations
      .filter((each) => each.name === 'between' && each.to.length === 1)
      .map((each) => each.to[0]),
  );
  return caption.things.map(({count}, number) => {
    const half = Math.floor(count / 2);
    return parted.has(number)
      ? [newBlock(number, count - half), newBlock(number, half)]
      : [newBlock(number, count)];
  });
}

// What the relations say of blocks: fronts (front, back), lower (lower, higher), lefts (left,
// right), nears, betweens (between, one end, the other end).
function relatedOf(caption, blocksOf) {
  const found = {fronts: [], lower: [], lefts: [], nears: [], betweens: []};
  const rows = {
    front: [found.fronts, false],
    behind: [found.fronts, true],
    under: [found.lower, false],
    above: [found.lower, true],
    left: [found.lefts, false],
    right: [found.lefts, true],
    beside: [found.nears, false],
  };
  for (const {name, of, to} of caption.relations) {
    if (name === 'between') {
      const ends = to.flatMap((number) => blocksOf[number]);
      for (const block of blocksOf[of]) found.betweens.push([block, ends[0], ends.at(-1)]);
      continue;
    }
    const [row, isTurned] = rows[name];
    for (const first of blocksOf[of]) {
      for (const second of blocksOf[to[0]]) row.push(isTurned ? [second, first] : [first, second]);
    }
  }
  return found;
}

// How many steps each is from those that come first, by the longest way.
function longest(nodes, pairs) {
  const levels = new Map(nodes.map((node) => [node, 0]));
  for (let round = 0; round <= nodes.length; round += 1) {
    let isChanged = false;
    for (const [first, second] of pairs) {
      if (levels.get(second) <= levels.get(first)) {
        levels.set(second, levels.get(first) + 1);
        isChanged = true;
      }
    }
    if (!isChanged) return levels;
  }
  throw contradiction(); // They go round in a circle.
}

function contradiction() {
  return new Error('these relations cannot all hold in one picture; leave one of them out');
}

// Nodes that pairs connect, together, in their order.
function groupsOf(nodes, pairs) {
  const groupOf = new Map(nodes.map((node) => [node, [node]]));
  for (const pair of pairs) {
    const [first, second] = pair.map((node) => groupOf.get(node));
    if (first !== second) {
      first.push(...second);
      for (const node of second) groupOf.set(node, first);
    }
  }
  return [...new Set(nodes.map((node) => groupOf.get(node)))];
}

// Puts stacks in rows; what is beside another or between others is in theirs.
function setLevels(stacks, related, caption) {
  const isInSky = (stack) => stack.blocks.every((block) => caption.things[block.thing].inSky);
  const alike = [...related.nears];
  for (const [stack, ...ends] of related.betweens) {
    for (const end of ends) if (isInSky(end) === isInSky(stack)) alike.push([stack, end]);
  }
  const groups = groupsOf(stacks, alike);
  const numberOf = new Map(
    groups.flatMap((group, number) => group.map((stack) => [stack, number])),
  );
  const pairs = related.lower.map((pair) => pair.map((stack) => numberOf.get(stack)));
  const levels = longest([...groups.keys()], pairs);
  const top = Math.max(...levels.values());
  const lower = new Set(pairs.map(([low]) => low));
  groups.forEach((group, number) => {
    if (group.every(isInSky) && !lower.has(number)) levels.set(number, Math.max(top, 1));
  });
  const used = [...new Set(levels.values())].sort((a, b) => a - b);
  for (const stack of stacks) stack.level = used.indexOf(levels.get(numberOf.get(stack)));
}

// Stacks from left to right so that relations hold, as near as can be to the caption's order.
// Where not all can stand side by side that are beside each other, others may be between.
function ordered(stacks, related) {
  const isStrange =
    related.lefts.some(([left, right]) => left === right) ||
    related.betweens.some((three) => new Set(three).size < 3);
  const tries = {left: MOST_TRIES};
  for (let mostSteps = 1; mostSteps < Math.max(2, stacks.length); mostSteps += 1) {
    const order = fit([], stacks, related, mostSteps, tries);
    if (order && !isStrange) return order;
  }
  throw contradiction();
}

// An order that begins so, or null.
function fit(order, stacks, related, mostSteps, tries) {
  if (order.length === stacks.length) return order;
  for (const stack of stacks) {
    if (order.includes(stack) || tries.left < 0) continue;
    tries.left -= 1;
    if (tries.left >= 0 && mayFollow(order, stack, related, mostSteps)) {
      const found = fit([...order, stack], stacks, related, mostSteps, tries);
      if (found) return found;
    }
  }
  return null;
}

function mayFollow(order, stack, related, mostSteps) {
  for (const [left, right] of related.lefts) {
    if (right === stack && !order.includes(left)) return false;
  }
  for (const [middle, ...ends] of related.betweens) {
    const before = ends.filter((end) => order.includes(end)).length;
    if (middle === stack && before !== 1) return false;
    if (ends.includes(stack) && before && !order.includes(middle)) return false;
  }
  return related.nears.every((pair) => {
    if (!pair.includes(stack)) return true;
    const place = order.indexOf(pair[0] === stack ? pair[1] : pair[0]);
    return place < 0 || order.length - place <= mostSteps;
  });
}

// Shapes the blocks so that things are large; gives their side.
function shaped(blocks, order, isOneRow) {
  let best = null;
  for (let rows = 1; rows <= MOST_ROWS; rows += 1) {
    for (const block of blocks) block.columns = columnsOf(block.count, rows);
    const side = sideOf(order, isOneRow);
    if (!best || side > best.side + TINY) {
      best = {side, columns: blocks.map((block) => block.columns)};
    }
  }
  blocks.forEach((block, i) => {
    block.columns = best.columns[i];
  });
  return best.side;
}

// Three are always in a row, and seven or more in three rows at most.
function columnsOf(count, mostRows) {
  const rows = count < 4 ? 1 : count < 7 ? 2 : 3;
  return Math.ceil(count / Math.min(rows, mostRows));
}

function rowsOf(order) {
  const count = Math.max(...order.map((stack) => stack.level)) + 1;
  return Array.from({length: count}, (_, level) => order.filter((stack) => stack.level === level));
}

// The side of things, of which so many fit on the page.
function sideOf(order, isOneRow) {
  const rows = rowsOf(order);
  const widths = (isOneRow ? [order] : rows).map(
    (row) => total(row.map(widthOf)) + GAP * (row.length - 1),
  );
  const heights = rows.map((row) => Math.max(...row.map(heightOf)));
  return Math.min(
    LARGEST,
    (WIDTH - 2 * MARGIN) / Math.max(...widths),
    (HEIGHT - 2 * MARGIN) / (total(heights) + GAP * (rows.length - 1)),
  );
}

// Puts stacks side by side in the middle of the page.
function pack(row, side) {
  const width = side * total(row.map(widthOf));
  const room = (WIDTH - 2 * MARGIN - width) / Math.max(1, row.length - 1);
  const gap = Math.min(WIDEST_GAP * side, room);
  let at = (WIDTH - width - gap * (row.length - 1)) / 2;
  for (const stack of row) {
    stack.left = at;
    at += widthOf(stack) * side + gap;
  }
}

// Puts each row side by side; what is above one thing alone is above its middle.
function spread(order, related, side) {
  rowsOf(order).forEach((row, level) => {
    pack(row, side);
    const isNear = row.some((stack) => related.nears.some((pair) => pair.includes(stack)));
    for (const stack of level && !isNear ? row : []) {
      const below = new Set(
        related.lower
          .filter(([low, high]) => high === stack && low.level < level)
          .map(([low]) => low),
      );
      const half = (widthOf(stack) * side) / 2;
      if (below.size === 1) {
        const [low] = below;
        stack.left = low.left + (widthOf(low) * side) / 2 - half;
      } else if (row.length === 1 && order.length > 1 && widthOf(stack) === 1) {
        stack.left = SKY_PLACE * WIDTH - half;
      }
    }
    pushApart(row, side);
  });
}

// Moves stacks that lie over each other or the margin, the first to the left.
function pushApart(row, side) {
  let at = MARGIN;
  for (const stack of row) {
    stack.left = Math.max(stack.left, at);
    at = stack.left + (widthOf(stack) + GAP) * side;
  }
  at = WIDTH - MARGIN;
  for (const stack of [...row].reverse()) {
    stack.left = Math.min(stack.left, at - widthOf(stack) * side);
    at = stack.left - GAP * side;
  }
}

// Whether what is left of another is so in other rows too, and what is between others.
function holds(related, side) {
  const isLeft = (first, second) => first.left + widthOf(first) * side <= second.left + TINY;
  return (
    related.lefts.every(([left, right]) => isLeft(left, right)) &&
    related.betweens.every(
      ([middle, one, other]) =>
        (isLeft(one, middle) && isLeft(middle, other)) ||
        (isLeft(other, middle) && isLeft(middle, one)),
    )
  );
}

// Puts the blocks of all stacks that nothing hides in their places.
function stand(order, side) {
  const rows = rowsOf(order);
  const heights = rows.map((row) => side * Math.max(...row.map(heightOf)));
  const room = HEIGHT - 2 * MARGIN - total(heights);
  const gap = Math.min(TALLEST_GAP * side, room / Math.max(1, rows.length - 1));
  const left = room - gap * (rows.length - 1);
  let bottom = HEIGHT - MARGIN - left * GROUND;
  rows.forEach((row, level) => {
    for (const stack of row) {
      let at = stack.left;
      for (const block of stack.base) {
        block.left = at;
        block.side = side;
        block.bottom = bottom - (hasFront(stack) ? LOWER * side : 0);
        at = rightOf(block);
      }
    }
    bottom -= heights[level] + gap;
  });
}

// Puts a block over those that it is in front of, beside others that are so too.
function putInFront(block, fronts) {
  const backsOf = (each) => new Set(fronts.filter(([f]) => f === each).map(([, back]) => back));
  const backs = [...backsOf(block)];
  const alike = [...new Set(fronts.map(([front]) => front))].filter((other) => {
    const others = backsOf(other);
    const isSame = others.size === backs.length && backs.every((back) => others.has(back));
    return other.depth === block.depth && isSame;
  });
  const left = Math.min(...backs.map((back) => back.left));
  const right = Math.max(...backs.map(rightOf));
  for (const other of alike) {
    other.columns = other.count < 4 ? other.count : Math.ceil(other.count / 2);
  }
  const columns = total(alike.map((other) => other.columns));
  const least = Math.min(...backs.map((back) => back.side));
  const side = Math.min(FRONT * least, (right - left) / columns);
  const aside = columns === 1 && backs.length === 1 ? ASIDE * (right - left) : 0;
  let at = (left + right) / 2 + aside - (columns * side) / 2;
  for (const other of alike) {
    if (other === block) {
      block.left = at;
      block.side = side;
    }
    at += other.columns * side;
  }
  block.bottom = Math.max(...backs.map((back) => back.bottom)) + LOWER * side;
}
