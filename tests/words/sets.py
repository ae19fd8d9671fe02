"""Classes that models may have, and lists of words with what each is among them."""

import csv
import json
import pathlib

HERE = pathlib.Path(__file__).parent
DOODLES = [
    *('sun', 'house', 'tree', 'flower', 'fish', 'cat', 'boat', 'star', 'mountains', 'umbrella')
]
QUICK_DRAW = [
    *('airplane', 'apple', 'bear', 'bicycle', 'bird', 'bread', 'bus', 'butterfly', 'cake'),
    *('camera', 'car', 'chair', 'computer', 'cow', 'crown', 'cup', 'dog', 'eye', 'fire truck'),
    *('guitar', 'hat', 'horse', 'knife', 'mouse', 'piano', 'rabbit', 'shoe', 'snake', 'spider'),
    'train',
]
HOUSEHOLD = [
    *('ant', 'axe', 'banana', 'bed', 'bee', 'bench', 'book', 'bridge', 'bucket', 'camel'),
    *('candle', 'castle', 'clock', 'crab', 'door', 'drums', 'duck', 'elephant', 'frog', 'hammer'),
    *('helicopter', 'key', 'lion', 'moon', 'owl', 'penguin', 'pig', 'pizza', 'sandwich'),
    *('scissors', 'sheep', 'sock', 'sword', 'table', 'tent', 'tractor', 'truck', 'violin'),
    *('whale', 'windmill', 'wine glass'),
]
CLASSES = {
    'doodles': DOODLES,
    'quickdraw': QUICK_DRAW,
    'household': HOUSEHOLD,
    'others': [*QUICK_DRAW, 'clock'],
}
CASES = json.loads((HERE / 'cases.json').read_text())


def words(name: str) -> list[dict]:
    """The rows of a list: `word`, `classes` and `answer`, which is empty for none of them."""
    with open(HERE / f'{name}.csv') as file:
        return list(csv.DictReader(file))


def shares(rows: list[dict], found: list[str]) -> tuple[float, float]:
    """How many words of a kind are found to be it, and how many others are refused."""
    right = [(bool(row['answer']), row['answer'] == each) for row, each in zip(rows, found)]
    known = [is_right for is_known, is_right in right if is_known]
    strange = [is_right for is_known, is_right in right if not is_known]
    return sum(known) / len(known), sum(strange) / len(strange)


def broken(relations, places: list[tuple]) -> list:
    """The relations (of, name, *to) that do not hold in places (thing, x, y, scale) as painted."""
    return [relation for relation in relations if not _holds(relation, places)]


def _holds(relation, places):
    of, name, *to = relation
    first = [place for place in places if place[0] == of]
    second = [[place for place in places if place[0] == number] for number in to]
    if name == 'between':
        return all(_is_between(place, second) for place in first)
    [second] = second
    if name in ('front', 'behind'):
        front, back = (first, second) if name == 'front' else (second, first)
        return all(any(_is_in_front(a, b, places) for b in back) for a in front)
    if name == 'beside':
        return _are_near(first, second)
    return all(TESTS[name](_edges(a), _edges(b)) for a in first for b in second)


TESTS = {  # of edges: left, top, right, bottom
    'left': lambda a, b: a[2] <= b[0] + 1e-6,
    'right': lambda a, b: a[0] >= b[2] - 1e-6,
    'above': lambda a, b: a[3] <= b[1] + 1e-6,
    'under': lambda a, b: a[1] >= b[3] - 1e-6,
}


def _edges(place):
    _, x, y, scale = place
    return x - scale / 2, y - scale / 2, x + scale / 2, y + scale / 2


def overlap(a, b) -> bool:
    a, b = _edges(a), _edges(b)
    return all(min(a[i + 2], b[i + 2]) - max(a[i], b[i]) > 1e-6 for i in (0, 1))


def _is_in_front(a, b, places):
    """It lies over the other, is painted later, and stands lower, which is nearer to who looks."""
    return overlap(a, b) and places.index(a) > places.index(b) and a[2] > b[2]


def _is_between(place, ends):
    """Some of the ends is left of it, and another right of it."""
    ends = ends if len(ends) > 1 else [[end] for end in ends[0]]
    sides = [
        {'left' if TESTS['left'](_edges(end), _edges(place)) else
         'right' if TESTS['right'](_edges(end), _edges(place)) else 'neither' for end in group}
        for group in ends
    ]  # fmt: skip
    return {'left'} in sides and {'right'} in sides and 'neither' not in set.union(*sides)


def _are_near(first, second):
    """The nearest of them are less than a side away, on the same ground."""
    a, b = min(
        ((a, b) for a in first for b in second), key=lambda pair: abs(pair[0][1] - pair[1][1])
    )
    gap = abs(a[1] - b[1]) - (a[3] + b[3]) / 2
    same_ground = abs(_edges(a)[3] - _edges(b)[3]) < a[3] / 2
    return same_ground and gap < 2.5 * a[3]
