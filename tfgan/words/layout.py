"""Where a scene has its things: squares on a page 1 wide, so that all relations hold.

Things stand in rows, one above another: the lowest on the ground, and what flies or shines at the
top. All are of one size, and none lies over another but for what is in front. The same caption
always has the same layout. The studio's `layout.js` has the same rules.
"""

import itertools
from typing import NamedTuple

from tfgan.errors import ConfigError
from tfgan.words.captions import Caption

WIDTH, HEIGHT = 1.0, 0.75  # of the page
MARGIN = 0.04
LARGEST = 0.4  # side of a thing
GAP = 0.12  # between things, in their sides
WIDEST_GAP = 0.3
TALLEST_GAP = 0.4  # between rows
GROUND = 0.4  # of the room that a single row leaves, the part below it
SKY_PLACE = 0.8  # of what shines alone in the sky
FRONT = 0.72  # size of what is in front
ASIDE = 0.2  # so far it is beside the middle of what it hides, in the sides of that
LOWER = 0.1  # and so far below its ground
MOST_ROWS = 3  # of things of one kind
MOST_TRIES = 50_000  # of orders from left to right
TINY = 1e-9
SEED_STEP = 1_000_003  # between the drawings of a scene, so that scenes of near seeds have others


class Place(NamedTuple):
    """Middle and side of a thing's square; `thing` is its number in the caption."""

    thing: int
    x: float
    y: float
    scale: float


class _Block:
    """So many of a thing, which stand together."""

    def __init__(self, thing, count):
        self.thing, self.count = thing, count
        self.depth = 0  # 1 is in front of 0
        self.columns = 1
        self.left = self.bottom = self.side = 0.0

    @property
    def rows(self):
        return -(-self.count // self.columns)

    @property
    def right(self):
        return self.left + self.columns * self.side

    def places(self):
        """Its squares, the lowest row first; the last may be shorter and stands in the middle."""
        middle = (self.left + self.right) / 2
        for number in range(self.count):
            row, column = divmod(number, self.columns)
            in_row = min(self.columns, self.count - row * self.columns)
            x = middle + (column + 0.5 - in_row / 2) * self.side
            yield Place(self.thing, x, self.bottom - (row + 0.5) * self.side, self.side)


class _Stack:
    """Blocks that stand in one place, one in front of another; sizes are in sides of a thing."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.level = 0  # its row, 0 the lowest
        self.left = 0.0
        self.base = [block for block in blocks if not block.depth]

    @property
    def width(self):
        return sum(block.columns for block in self.base)

    @property
    def height(self):
        has_front = len(self.base) < len(self.blocks)
        return max(block.rows for block in self.base) + (LOWER if has_front else 0)


class _Related(NamedTuple):
    """What the relations say, of blocks or of stacks."""

    fronts: list  # (front, back)
    lower: list  # (lower, higher)
    lefts: list  # (left, right)
    nears: list
    betweens: list  # (between, one end, the other end)


def layout(caption: Caption) -> list[Place]:
    """The squares of all things, what is behind first; raises ConfigError for contradictions."""
    if not caption.things:
        return []
    blocks_of = _divided(caption)
    blocks = [block for each in blocks_of for block in each]
    related = _related(caption, blocks_of)
    depths = _longest(blocks, [(back, front) for front, back in related.fronts])
    for block in blocks:
        block.depth = depths[block]
    stacks = [_Stack(group) for group in _groups(blocks, related.fronts)]
    stack_of = {block: stack for stack in stacks for block in stack.blocks}
    of_stacks = _Related(
        *([tuple(stack_of[block] for block in each) for each in pairs] for pairs in related)
    )
    _set_levels(stacks, of_stacks, caption)
    order = _ordered(stacks, of_stacks)
    side = _shaped(blocks, order, is_one_row=False)
    _spread(order, of_stacks, side, caption)
    if not _holds(of_stacks, side):
        side = _shaped(blocks, order, is_one_row=True)
        _pack(order, side)
    _stand(order, side)
    for block in sorted(blocks, key=lambda block: block.depth):
        if block.depth:
            _put_in_front(block, related.fronts)
    return [
        place for block in sorted(blocks, key=lambda each: each.depth) for place in block.places()
    ]


def seeds(seed: int, count: int) -> list[int]:
    """The seeds of the drawings of a scene, in the order of their places."""
    return [seed + SEED_STEP * number for number in range(count)]


def _divided(caption):
    """The blocks of each thing: two of one that another stands between."""
    parted = {
        each.to[0] for each in caption.relations if each.name == 'between' and len(each.to) == 1
    }
    return [
        [_Block(number, thing.count - thing.count // 2), _Block(number, thing.count // 2)]
        if number in parted
        else [_Block(number, thing.count)]
        for number, thing in enumerate(caption.things)
    ]


def _related(caption, blocks_of):
    found = _Related([], [], [], [], [])
    for name, of, to in caption.relations:
        if name == 'between':
            ends = [block for number in to for block in blocks_of[number]]
            found.betweens.extend((block, ends[0], ends[-1]) for block in blocks_of[of])
            continue
        rows, is_turned = {
            'front': (found.fronts, False),
            'behind': (found.fronts, True),
            'under': (found.lower, False),
            'above': (found.lower, True),
            'left': (found.lefts, False),
            'right': (found.lefts, True),
            'beside': (found.nears, False),
        }[name]
        for pair in itertools.product(blocks_of[of], blocks_of[to[0]]):
            rows.append(pair[::-1] if is_turned else pair)
    return found


def _longest(nodes, pairs):
    """How many steps each is from those that come first, by the longest way."""
    levels = dict.fromkeys(nodes, 0)
    for _ in range(len(nodes) + 1):
        changed = False
        for first, second in pairs:
            if levels[second] <= levels[first]:
                levels[second], changed = levels[first] + 1, True
        if not changed:
            return levels
    raise _contradiction()  # They go round in a circle.


def _contradiction():
    return ConfigError('these relations cannot all hold in one picture; leave one of them out')


def _groups(nodes, pairs):
    """Nodes that pairs connect, together, in their order."""
    group_of = {node: [node] for node in nodes}
    for pair in pairs:
        first, second = (group_of[node] for node in pair)
        if first is not second:
            first.extend(second)
            for node in second:
                group_of[node] = first
    found = []
    for node in nodes:
        if group_of[node] not in found:
            found.append(group_of[node])
    return found


def _set_levels(stacks, related, caption):
    """Puts stacks in rows; what is beside another or between others is in theirs."""
    in_sky = {
        stack: all(caption.things[block.thing].in_sky for block in stack.blocks) for stack in stacks
    }
    alike = list(related.nears)
    for stack, *ends in related.betweens:
        alike += [(stack, end) for end in ends if in_sky[end] == in_sky[stack]]
    groups = _groups(stacks, alike)
    number_of = {stack: number for number, group in enumerate(groups) for stack in group}
    pairs = [(number_of[low], number_of[high]) for low, high in related.lower]
    levels = _longest(range(len(groups)), pairs)
    top = max(levels.values())
    lower = {low for low, _ in pairs}
    for number, group in enumerate(groups):
        if all(in_sky[stack] for stack in group) and number not in lower:
            levels[number] = max(top, 1)
    used = sorted(set(levels.values()))
    for stack in stacks:
        stack.level = used.index(levels[number_of[stack]])


def _ordered(stacks, related):
    """Stacks from left to right so that relations hold, as near as can be to the caption's order.

    Where not all can stand side by side that are beside each other, others may be between.
    """
    strange = [pair for pair in related.lefts if pair[0] is pair[1]]
    strange += [three for three in related.betweens if len(set(three)) < 3]
    tries = itertools.count()
    for most_steps in range(1, max(2, len(stacks))):
        order = _fit([], stacks, related, most_steps, tries)
        if order and not strange:
            return order
    raise _contradiction()


def _fit(order, stacks, related, most_steps, tries):
    """An order that begins so, or None."""
    if len(order) == len(stacks):
        return order
    for stack in stacks:
        if stack in order or next(tries) > MOST_TRIES:
            continue
        if _may_follow(order, stack, related, most_steps):
            found = _fit([*order, stack], stacks, related, most_steps, tries)
            if found:
                return found
    return None


def _may_follow(order, stack, related, most_steps):
    for left, right in related.lefts:
        if right is stack and left not in order:
            return False
    for middle, *ends in related.betweens:
        before = sum(end in order for end in ends)
        if (middle is stack and before != 1) or (stack in ends and before and middle not in order):
            return False
    for pair in related.nears:
        if stack in pair:
            other = pair[0] if pair[1] is stack else pair[1]
            if other in order and len(order) - order.index(other) > most_steps:
                return False
    return True


def _shaped(blocks, order, is_one_row):
    """Shapes the blocks so that things are large; gives their side."""
    best = None
    for rows in range(1, MOST_ROWS + 1):
        for block in blocks:
            block.columns = _columns(block.count, rows)
        side = _side(order, is_one_row)
        if best is None or side > best[0] + TINY:
            best = side, [block.columns for block in blocks]
    for block, columns in zip(blocks, best[1], strict=True):
        block.columns = columns
    return best[0]


def _columns(count, most_rows):
    """Three are always in a row, and seven or more in three rows at most."""
    rows = 1 if count < 4 else 2 if count < 7 else 3
    return -(-count // min(rows, most_rows))


def _rows(order):
    levels = range(max(stack.level for stack in order) + 1)
    return [[stack for stack in order if stack.level == level] for level in levels]


def _side(order, is_one_row):
    """The side of things, of which so many fit on the page."""
    rows = _rows(order)
    widths = [
        sum(stack.width for stack in row) + GAP * (len(row) - 1)
        for row in ([order] if is_one_row else rows)
    ]
    heights = sum(max(stack.height for stack in row) for row in rows) + GAP * (len(rows) - 1)
    return min(LARGEST, (WIDTH - 2 * MARGIN) / max(widths), (HEIGHT - 2 * MARGIN) / heights)


def _pack(row, side):
    """Puts stacks side by side in the middle of the page."""
    width = side * sum(stack.width for stack in row)
    gap = min(WIDEST_GAP * side, (WIDTH - 2 * MARGIN - width) / max(1, len(row) - 1))
    at = (WIDTH - width - gap * (len(row) - 1)) / 2
    for stack in row:
        stack.left = at
        at += stack.width * side + gap


def _spread(order, related, side, caption):
    """Puts each row side by side; what is above one thing alone is above its middle."""
    for level, row in enumerate(_rows(order)):
        _pack(row, side)
        is_near = any(stack in pair for pair in related.nears for stack in row)
        if level and not is_near:
            for stack in row:
                below = {low for low, high in related.lower if high is stack and low.level < level}
                half = stack.width * side / 2
                if len(below) == 1:
                    [low] = below
                    stack.left = low.left + low.width * side / 2 - half
                elif len(row) == 1 and len(order) > 1 and stack.width == 1:
                    stack.left = SKY_PLACE * WIDTH - half
            _push_apart(row, side)


def _push_apart(row, side):
    """Moves stacks that lie over each other or the margin, the first to the left."""
    at = MARGIN
    for stack in row:
        stack.left = max(stack.left, at)
        at = stack.left + (stack.width + GAP) * side
    at = WIDTH - MARGIN
    for stack in reversed(row):
        stack.left = min(stack.left, at - stack.width * side)
        at = stack.left - GAP * side


def _holds(related, side):
    """Whether what is left of another is so in other rows too, and what is between others."""

    def is_left(first, second):
        return first.left + first.width * side <= second.left + TINY

    return all(is_left(*pair) for pair in related.lefts) and all(
        (is_left(one, middle) and is_left(middle, other))
        or (is_left(other, middle) and is_left(middle, one))
        for middle, one, other in related.betweens
    )


def _stand(order, side):
    """Puts the blocks of all stacks that nothing hides in their places."""
    rows = _rows(order)
    heights = [side * max(stack.height for stack in row) for row in rows]
    room = HEIGHT - 2 * MARGIN - sum(heights)
    gap = min(TALLEST_GAP * side, room / max(1, len(rows) - 1))
    left = room - gap * (len(rows) - 1)
    bottom = HEIGHT - MARGIN - left * GROUND
    for row, height in zip(rows, heights, strict=True):
        for stack in row:
            at = stack.left
            for block in stack.base:
                has_front = len(stack.base) < len(stack.blocks)
                block.left, block.side = at, side
                block.bottom = bottom - (LOWER * side if has_front else 0)
                at = block.right
        bottom -= height + gap


def _put_in_front(block, fronts):
    """Puts a block over those that it is in front of, beside others that are so too."""
    backs = [back for front, back in fronts if front is block]
    alike = [
        other
        for other in dict.fromkeys(front for front, _ in fronts)
        if other.depth == block.depth and {b for f, b in fronts if f is other} == set(backs)
    ]
    left, right = min(back.left for back in backs), max(back.right for back in backs)
    for other in alike:
        other.columns = other.count if other.count < 4 else -(-other.count // 2)
    columns = sum(other.columns for other in alike)
    side = min(FRONT * min(back.side for back in backs), (right - left) / columns)
    middle = (left + right) / 2 + (
        ASIDE * (right - left) if columns == 1 and len(backs) == 1 else 0
    )
    at = middle - columns * side / 2
    for other in alike:
        if other is block:
            block.left, block.side = at, side
        at += other.columns * side
    block.bottom = max(back.bottom for back in backs) + LOWER * side
