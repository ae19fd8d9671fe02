"""The embedded data set: line drawings of ten kinds, each a function of (seed, index).

A point is a complex number x + iy, x to the right and y down, so that a turn is a product. A kind
draws itself about the origin, some two units wide; `by_hand` adds the tremor and fits it to the
page. Everything works on the n drawings of one kind at once: a number is an array [n, 1], a row of
k numbers [n, k], and a stroke [n, points], with NaN where a drawing goes without it.
"""

import numpy as np

from tfgan.data.doodles.pen import ramp


def face(pen, size, when):
    """Two eyes and a smile within `size` of the origin."""
    for side in -1, 1:
        pen.dot(size * (0.38 * side - 0.25j), when)
    smile = size * (pen.between(0.35, 0.5) + 0.2j)
    pen.curve([-smile.conj(), size * 0.52j, smile], when, slip=0.02)


def sun(pen):
    radius, smiling = pen.between(0.36, 0.6), pen.chance(0.3)
    radius = np.where(smiling, np.maximum(radius, 0.5), radius)
    pen.oval(0, radius, radius)
    face(pen, radius, smiling)
    count, ray = np.floor(pen.between(7, 14)), np.arange(13)
    turn = 2 * np.pi * (ray + pen.between(-0.2, 0.2, 13)) / count + pen.between(0, 6)
    reach = pen.between(0.9, 1.1, 13) - 0.2 * (pen.chance(0.3) & (ray % 2 == 0))
    foot, wide = radius + pen.between(0.06, 0.22), pen.chance(0.22)
    half = 0.8j * foot * np.pi / count * np.array([-1, 0, 1])
    along = np.stack(np.broadcast_arrays(foot, reach, foot), -1)
    way = np.exp(1j * turn)[..., None]
    pen.line(way * along[..., :2], (ray < count) & ~wide, slip=0.02, pieces=3)
    pen.line(way * (along + half[:, None]), (ray < count) & wide, slip=0.02, pieces=2)


def house(pen):
    half, deep, high = pen.between(0.6, 0.95), pen.between(0.65, 1), pen.between(0.45, 0.9)
    eaves, ridge = pen.between(0.02, 0.22), half * pen.between(0.3, 0.55) * pen.chance(0.25)
    pen.line([-half, -half + 1j * deep, half + 1j * deep, half])
    roof = [-half - eaves, -ridge - 1j * high, ridge - 1j * high, half + eaves, -half - eaves]
    pen.line(roof)
    door, side = pen.chance(0.85), pen.between(-0.5, 0.5) * half
    jamb, lintel = pen.between(0.12, 0.2), 1j * deep * pen.between(0.35, 0.55)
    foot = side + 1j * deep
    pen.line([foot - jamb, side - jamb + lintel, side + jamb + lintel, foot + jamb], door)
    chimney(pen, half, high)
    panes(pen, half, deep, side, door)


def chimney(pen, half, high):
    """A chimney on the right slope of the roof, perhaps with smoke."""
    left, wide, top = pen.between(0.35, 0.5), pen.between(0.22, 0.3), pen.between(0.85, 1.15)
    there, top = pen.chance(0.5), -1j * high * top
    feet = [half * x - 1j * high * (1 - x) for x in (left, left + wide)]
    pen.line([feet[0], feet[0].real + top, feet[1].real + top, feet[1]], there, slip=0.03)
    start = half * (left + wide / 2) + top - 0.15j
    puff = [start, start + 0.15 - 0.1j, start - 0.02 - 0.22j, start + 0.2 - 0.35j]
    pen.curve(puff, there & pen.chance(0.45))


def panes(pen, half, deep, side, door):
    """Windows: beside the door where there is room, and perhaps a round one under the roof."""
    size = pen.between(0.13, 0.18)
    for way in -1, 1:
        centre = np.where(door, (side + way * (half + 0.18)) / 2, way * half * 0.5)
        room = np.abs(side * door + way * -half) > 0.55
        centre = centre + 1j * deep * pen.between(0.35, 0.45)
        corners = [centre + size * corner for corner in (-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j, -1 - 1j)]
        pen.line(corners, room & pen.chance(0.75), slip=0.03, pieces=3)
    pen.oval(-0.28j, 0.12, 0.12, pen.chance(0.25), points=12)


def tree(pen):
    ball, cloud, fir, scribble = pen.pick(0.27, 0.27, 0.26, 0.2)
    wide, high = pen.between(0.6, 0.95), pen.between(0.58, 0.78)
    half, foot = pen.between(0.07, 0.17) * ~pen.chance(0.2), pen.between(0.85, 1.15)
    top = np.where(fir, 0.45, high - 0.35)
    pen.line([-half + 1j * top, -1.3 * half + 1j * foot, 1.3 * half + 1j * foot, half + 1j * top])
    earth = 1j * foot + pen.between(0.4, 0.7)
    pen.line([-earth.conj(), earth], pen.chance(0.25))
    pen.oval(-0.35j, wide, high, ball)
    fruit = (ball | cloud) & pen.chance(0.35)
    for at in -0.3 - 0.45j, -0.05 - 0.1j, 0.33 - 0.3j, 0.1 - 0.7j:
        pen.dot(at + pen.between(-0.1, 0.1), fruit)
    crown(pen, wide, high, cloud, scribble)
    needles(pen, wide, fir)


def crown(pen, wide, high, cloud, scribble):
    """A crown of bumps, or of curls: one round stroke on the path of a smaller round."""
    t = pen.between(-2, 0) + 6.3 * ramp(56)
    bumps, curls = np.floor(pen.between(6, 10)), np.floor(pen.between(6, 10))
    edge = (0.85 + pen.between(0.2, 0.3) * np.abs(np.sin(bumps * t / 2))) * np.exp(1j * t)
    pen.stroke(wide * edge.real + 1j * high * edge.imag - 0.35j, cloud)
    loop = 0.68 * np.exp(1j * t) + pen.between(0.25, 0.36) * np.exp(1j * curls * t)
    pen.stroke(wide * loop.real + 1j * high * loop.imag - 0.35j, scribble)


def needles(pen, wide, fir):
    """A fir: tiers with notches between them, stacked triangles, or one zigzag down."""
    tiers, stack, zigzag = pen.pick(0.45, 0.3, 0.25)
    notch, top = pen.between(0.35, 0.6), pen.between(-1.3, -1.0)
    y = [0.6 * top + 0.15, 0.25 * top + 0.27, 0.5]
    arms = [wide * x + 1j * depth for x, depth in zip((0.45, 0.72, 1), y)]
    inner = [arm - wide * (1 - notch) * x for arm, x in zip(arms, (0.45, 0.72))]
    side = [arms[0], inner[0], arms[1], inner[1], arms[2]]
    mirrored = [-point.conj() for point in reversed(side)]
    pen.line([1j * top, *side, *mirrored, 1j * top], fir & tiers)
    for apex, arm in zip((top, y[0] - 0.2, y[1] - 0.2), arms):
        pen.line([1j * apex, arm, -arm.conj(), 1j * apex], fir & stack)
    fall = (0.5 - top) / 6
    swing = [(-1) ** i * wide * (0.1 + 0.15 * i) + 1j * (top + i * fall) for i in range(7)]
    pen.line([1j * top, *swing, -swing[-1].conj()], fir & zigzag)


def flower(pen):
    loops, wavy, tulip = pen.pick(0.5, 0.3, 0.2)
    stem = pen.chance(0.8) | tulip
    heart = pen.between(0.18, 0.28)
    pen.oval(0, heart, heart, ~tulip, points=16)
    count, turn, t = np.floor(pen.between(5, 8)), pen.between(0, 6), 6.2 * ramp(14)
    ray, length = np.arange(7), pen.between(0.2, 0.3, 7)
    way = np.exp(1j * (turn + 2 * np.pi * (ray + pen.between(-0.1, 0.1, 7)) / count))[..., None]
    half = ((heart + 0.22) * np.sin(np.pi / count))[..., None]
    petal = heart[..., None] + length[..., None] * (1 - np.cos(t * 1.02)) + 1j * half * np.sin(t)
    pen.stroke(way * petal, loops & (ray < count))
    t = turn + 6.3 * ramp(56)
    edge = pen.between(0.42, 0.5) + pen.between(0.22, 0.3) * np.abs(np.sin(count * t / 2))
    pen.stroke(edge * np.exp(1j * t), wavy)
    cup(pen, tulip)
    stalk(pen, np.where(tulip, 0.38, np.where(loops, heart + 2 * length[:, :1], 0.6)), stem)


def cup(pen, when):
    """A tulip's head."""
    wide, high = pen.between(0.4, 0.55), pen.between(0.4, 0.65)
    rim = wide - 1j * high
    pen.curve([-rim.conj(), -wide * 1.05, -0.55 * wide + 0.33j, 0.4j], when)
    pen.curve([rim, wide * 1.05, 0.55 * wide + 0.33j, 0.4j], when)
    dip = 0.4 * wide - 0.4j * high
    pen.line([-rim.conj(), -dip.conj(), -1.1j * high, dip, rim], when)


def stalk(pen, top, when):
    """A bent stem from iy = top, with up to two leaves."""
    foot = pen.between(-0.25, 0.25) + 1j * (top + pen.between(0.6, 1.0))
    middle = (1j * top + foot) / 2 + pen.between(-0.12, 0.12)
    pen.curve([1j * top, middle, foot], when)
    for side in -1, 1:
        root = foot + (middle - foot) * pen.between(0.2, 0.8)
        tip = root + side * pen.between(0.35, 0.5) - 1j * pen.between(0.15, 0.4)
        belly = (tip - root) * 0.55 * np.exp(-0.45j)
        back = (tip - root) * 0.55 * np.exp(0.45j)
        pen.curve([root, root + belly, tip, root + back, root], when & pen.chance(0.65), slip=0.03)


def fish(pen):
    ribbon, fat = pen.chance(0.45), pen.between(0.38, 0.62)
    fork, fan = 0.55 + pen.between(-0.05, 0.1), pen.between(0.25, 0.42)
    tail = 1.05 + 1j * fan
    back, belly = -0.35 - 1j * fat, -0.35 + 1j * fat
    # One ribbon that crosses itself at the tail, or an oval with the tail set on.
    body = [tail.conj(), fork, 0.2 + 0.8j * fat, belly, -0.85 + 0.5j * fat, -1, -0.85 - 0.5j * fat]
    pen.curve([*body, back, 0.2 - 0.8j * fat, fork, tail], ribbon)
    pen.curve([tail, tail.real - pen.between(0, 0.25), tail.conj()], ribbon)
    pen.oval(-0.22, 0.78, fat, ~ribbon)
    fin = [fork - 0.02, tail.conj(), tail.real - pen.between(0, 0.25), tail, fork - 0.02]
    pen.line(fin, ~ribbon)
    markings(pen, fat)


def markings(pen, fat):
    """A fish's eye, mouth, gill, fins and stripes."""
    eye, ring = -0.62 - 0.25j * fat, pen.chance(0.25)
    pen.dot(eye, ~ring)
    pen.oval(eye, 0.12, 0.12, ring, points=10)
    gill = -0.15 + 0.55j * fat
    pen.curve([gill.conj(), gill.real + pen.between(0.1, 0.18), gill], pen.chance(0.4))
    for side in -1, 1:
        root = -0.25 + 0.98j * side * fat
        tip = 0.1 + 1j * side * (fat + pen.between(0.2, 0.32))
        pen.curve([root, tip, 0.25 + 0.8j * side * fat], pen.chance(0.4))
    striped = pen.chance(0.3)
    for x in 0.12, 0.38:
        pen.curve([x - 0.5j * fat, x + 0.1, x + 0.5j * fat], striped)


def cat(pen):
    wide, high, oval = pen.between(0.8, 0.95), pen.between(0.72, 0.92), pen.chance(0.6)
    pen.oval(0, wide, high, oval)
    tip, lean = 1j * pen.between(1.1, 1.4) * high, pen.between(0.6, 0.95)
    for side in -1, 1:
        outer, inner = [side * wide * np.sin(a) - 1j * high * np.cos(a) for a in (1.2, 0.35)]
        pen.line([outer, side * wide * lean - tip, inner], oval)
    ear, inner, cheek = wide * lean - tip, 0.4 * wide - 0.8j * high, wide - 0.1j
    pen.line([-cheek.conj(), -ear.conj(), -inner.conj(), inner, ear, cheek], ~oval)
    jaw = 0.75 * wide + 0.65j * high
    pen.curve([cheek, jaw, 1j * high, -jaw.conj(), -cheek.conj()], ~oval)
    muzzle(pen, wide, high)


def muzzle(pen, wide, high):
    """A cat's eyes, nose, mouth and whiskers."""
    dots, rings, slits = pen.pick(0.55, 0.2, 0.25)
    apart, y = wide * pen.between(0.36, 0.48), -1j * high * pen.between(0.15, 0.3)
    for side in -1, 1:
        pen.dot(side * apart + y, dots)
        pen.oval(side * apart + y, 0.13, 0.13, rings, points=10)
        pen.line([side * apart + y - 0.13j, side * apart + y + 0.13j], slits, slip=0.02)
    nose = 1j * high * pen.between(0.12, 0.22)
    pen.line([nose - 0.07, nose + 0.07, nose + 0.07j, nose - 0.07], slip=0.01, pieces=2)
    grin, lip = pen.between(0.18, 0.32), nose + 0.24j
    mouth = [lip - grin, lip - grin / 2 + 0.12j, lip, lip + grin / 2 + 0.12j, lip + grin]
    pen.curve(mouth, pen.chance(0.65), slip=0.02, pieces=3)
    row, three = np.arange(3) - 1, pen.chance(0.3)
    reach, spread = pen.between(0.15, 0.35), pen.between(0.18, 0.3)
    for side in -1, 1:
        start = side * 0.68 * wide + nose + 0.14j * row
        end = side * (wide + reach) + nose + 1j * (spread * row + pen.between(-0.1, 0.1))
        pen.line(np.stack([start, end], -1), three | (row != 0))


def boat(pen):
    steam, deep = pen.chance(0.2), pen.between(0.35, 0.55)
    bow, stern = pen.between(0.85, 1.05), pen.between(-1.05, -0.85)
    keel, bent = pen.between(0.45, 0.75), pen.chance(0.35)
    hull = [stern, -keel + 1j * deep, keel + 1j * deep, bow]
    pen.line([*hull, stern], ~bent)
    pen.curve(hull, bent)
    pen.line([bow, stern], bent)
    rig(pen, ~steam)
    funnel(pen, steam)
    t = ramp(32)
    wave = -1.15 + 2.3 * t + 0.07j * np.sin(pen.between(15, 26) * t + pen.between(0, 6))
    pen.stroke(wave + 1j * (deep + pen.between(0.15, 0.25)), pen.chance(0.45))


def rig(pen, when):
    """A mast with a sail ahead, two sails, or a square one, and perhaps a pennant."""
    _, two, square = pen.pick(0.4, 0.4, 0.2)
    foot, mast, boom = pen.between(-0.2, 0.2), -1j * pen.between(1.05, 1.4), -0.18j
    pen.line([foot, foot + mast], when)
    reach = pen.between(0.55, 0.85)
    pen.line([foot + 0.95 * mast, foot + reach + boom, foot + boom], when & ~square)
    jib = pen.between(0.35, 0.7)
    pen.line([foot + 0.85 * mast, foot - jib + boom, foot + boom], when & two)
    left, right = foot - 0.55 * reach, foot + 0.85 * reach
    sail = [left + 0.9 * mast, right + 0.85 * mast, right + 0.15 + 0.5 * mast, right + boom]
    pen.curve([*sail, left + boom, left + 0.15 + 0.5 * mast, left + 0.9 * mast], when & square)
    flag = foot + mast
    pen.line([flag, flag - 0.3 + 0.1j, flag + 0.2j], when & ~two & pen.chance(0.4), slip=0.03)


def funnel(pen, when):
    """A cabin with portholes, a funnel and smoke."""
    high, left, right = pen.between(0.35, 0.5), pen.between(-0.7, -0.45), pen.between(0.4, 0.65)
    pen.line([left, left - 1j * high, right - 1j * high, right], when)
    x, wide, top = pen.between(-0.2, 0.1), pen.between(0.2, 0.3), high + pen.between(0.35, 0.5)
    pen.line([x - 1j * high, x - 1j * top, x + wide - 1j * top, x + wide - 1j * high], when)
    puff = x + wide / 2 - 1j * (top + 0.15)
    smoke = [puff, puff - 0.2 - 0.1j, puff - 0.1 - 0.25j, puff - 0.4 - 0.3j]
    pen.curve(smoke, when & pen.chance(0.7))
    for at in 0.3, 0.7:
        pen.dot(left + at * (right - left) - 0.5j * high, when)


def star(pen):
    knot, five, six, hexagram, four = pen.pick(0.35, 0.33, 0.1, 0.12, 0.1)
    turn = np.exp(1j * (pen.between(-0.2, 0.2) - np.pi / 2))
    tip = turn * pen.between(0.85, 1.1, 6)
    corner = np.array([0, 2, 4, 1, 3, 0])  # drawn without lifting the pen
    pen.line(tip[:, corner] * np.exp(0.4j * np.pi * corner), knot)
    waist = pen.between(0.36, 0.55)
    for points, when in (5, five), (6, six), (4, four):
        corner = np.arange(2 * points + 1)
        way = tip[:, corner // 2 % points] * np.exp(1j * np.pi / points * corner)
        pen.line(way * np.where(corner % 2, waist, 1), when, pieces=3)
    for start in 0, 1:
        corner = np.array([0, 2, 4, 0]) + start
        pen.line(tip[:, corner] * np.exp(1j * np.pi / 3 * corner), hexagram)
    face(pen, 0.4, five & (waist > 0.45) & pen.chance(0.6))


def mountains(pen):
    chains, capped = pen.pick(0.2, 0.16, 0.08), pen.chance(0.6)
    for peaks, when in zip((2, 3, 4), chains):
        steps = np.arange(2 * peaks + 1)
        high = np.where(steps % 2, 1, 0.5) * (steps % (2 * peaks) > 0) * (1.3 - 0.15 * peaks)
        ridge = steps / peaks - 1 - 1j * high * pen.between(0.85, 1.4, len(steps))
        ridge.real[:, 1:-1] += pen.between(-0.25, 0.25, len(steps) - 2) / peaks
        pen.line(ridge, when, pieces=3)
        for i in range(1, 2 * peaks, 2):
            snow(pen, *np.split(ridge[:, i - 1 : i + 2], 3, 1), when & capped & (peaks < 4))
    hidden(pen, ~(chains[0] | chains[1] | chains[2]))
    pen.line([-1.1, 1.1], pen.chance(0.5))
    disc = pen.between(-0.95, 0.95) - 1j * pen.between(1.45, 1.65)
    pen.oval(disc, 0.17, 0.17, pen.chance(0.3), points=14)


def hidden(pen, when):
    """A mountain before one or two others."""
    top, left = pen.between(-0.3, 0.15) - 1j * pen.between(1.1, 1.5), pen.between(-0.95, -0.8)
    right, low = pen.between(0.4, 0.7), pen.between(0.4, 0.6)
    pen.line([left, top, right], when)
    far = pen.between(0.55, 0.75) - 1j * pen.between(0.7, 1.2)
    pen.line([top + (right - top) * low, far, 1.15], when)
    near = pen.between(-0.9, -0.7) - 1j * pen.between(0.5, 0.8)
    pen.line([top + (left - top) * low, near, -1.3], when & pen.chance(0.6))
    snow(pen, left, top, right, when & pen.chance(0.4))


def snow(pen, left, top, right, when):
    """The jagged edge of a white cap."""
    low = pen.between(0.3, 0.42)
    start, end = top + low * (left - top), top + low * (right - top)
    teeth = (0.3, 0.14), (0.5, -0.04), (0.75, 0.16)
    edge = [start + (end - start) * at + 1j * drop for at, drop in teeth]
    pen.line([start, *edge, end], when, slip=0.02, pieces=2)


def umbrella(pen):
    high, count = pen.between(0.55, 1), np.floor(pen.between(2, 6))
    turn, peak = np.pi * ramp(20), pen.between(0, 0.25) * pen.chance(0.4)
    dome = np.sin(turn) + peak * (np.sin(turn) ** 6 - np.sin(turn))
    pen.stroke(-np.cos(turn) - 1j * high * dome)
    x, depth = 2 * ramp(33) - 1, pen.between(0.1, 0.22) * ~pen.chance(0.2)
    pen.stroke(x - 1j * depth * np.abs(np.sin(np.pi * count * (x + 1) / 2)))
    seam, quarter = 2 * np.arange(1, 5) / count - 1, np.pi / 2 * ramp(8)
    rib = seam[..., None] * np.sin(quarter) - 1j * high[..., None] * np.cos(quarter)
    pen.stroke(rib, (np.arange(1, 5) < count) & pen.chance(0.6))
    pen.line([-1j * high, -1j * (high + pen.between(0.1, 0.25))], pen.chance(0.75))
    foot, hook = pen.between(0.6, 0.95), pen.between(0.12, 0.22) * ~pen.chance(0.12)
    hand = [1j * foot, hook * 0.3 + 1j * (foot + hook), hook * 1.2 + 1j * (foot + 1.2 * hook)]
    pen.curve([-0.1j, *hand, hook * 2 + 1j * (foot + 0.5 * hook)])


TILTS = {  # kind: radians, either way
    sun: 0.3,
    house: 0.07,
    tree: 0.08,
    flower: 0.12,
    fish: 0.2,
    cat: 0.12,
    boat: 0.12,
    star: 0.15,
    mountains: 0.05,
    umbrella: 0.3,
}
