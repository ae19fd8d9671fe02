"""Bodies of TensorFlow Serving's REST requests as arrays, and arrays as bodies of its answers.

https://www.tensorflow.org/tfx/serving/api_rest, in both forms: `instances`, a value a row, and
`inputs`, a value a name.
"""

import base64
import itertools
import json
import math

import numpy as np

from tfgan.errors import RefusedError, quoted

DEFAULT_SIGNATURE = 'serving_default'
MOST_BESIDES = 64  # values of a request that are not its inputs'
SMALL_BYTES = 4096  # So short a body takes no room, whatever it has.
MAX_QUOTED = 100  # A message quotes so many characters of a value.

# The type and shape of each input; a size is None where it is free.
Specs = dict[str, tuple[np.dtype, tuple]]


def parse(body: bytes) -> dict:
    """The JSON object of a body."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid(f'JSON Parse error: {error}') from error
    if not isinstance(request, dict):
        raise _invalid(f'JSON Value: {_abbreviated(request)} Is not object')
    if not isinstance(request.get('signature_name', ''), str):
        raise _invalid("'signature_name' key must be a string value.")
    return request


def read(body: bytes, specs: dict[str, Specs], max_rows: int) -> tuple[str, dict, bool]:
    """(signature's name, {input: array}, whether in rows) of a body, by the signatures' specs."""
    if len(body) > SMALL_BYTES:
        _check_signs(body, specs, max_rows)
    request = parse(body)
    name = request.get('signature_name', '')
    return name, *arrays(request, specs_of(specs, name))


def _check_signs(body, specs, max_rows):
    """Refuses a body that has more lists, objects or values than any signature takes."""
    for sign, most in _most_signs(specs, max_rows).items():
        if body.count(sign) > most:
            raise _invalid(f'more than {max_rows} rows, or values that no signature takes')


def _most_signs(specs, max_rows):
    """How often the signs that lists, objects and values begin with may be in a body of JSON."""
    lists, values = [], []
    for inputs in specs.values():
        sizes = [shape[1:] for _, shape in inputs.values()]
        if any(None in each for each in sizes):
            return {}
        lists.append(sum(math.prod(each[:i]) for each in sizes for i in range(len(each))))
        values.append(sum(map(math.prod, sizes)))
    # Beside the rows there are an object, the inputs' names and what the request may have besides.
    rows = max_rows + MOST_BESIDES
    return {b'[': rows * (max(lists) + 1), b'{': 2 * rows, b',': rows * (max(values) + 1)}


def specs_of(specs: dict[str, Specs], name: str) -> Specs:
    """The specs of the signature of a name, or of the default one."""
    name = name or DEFAULT_SIGNATURE
    if name not in specs:
        raise _invalid(
            f'Serving signature name: "{quoted(name)}" not found in signature def; '
            f'there are {", ".join(sorted(specs))}'
        )
    return specs[name]


def arrays(request: dict, specs: Specs) -> tuple[dict, bool]:
    """({input: array}, whether in rows) of a parsed request, as a signature's specs have them."""
    if ('instances' in request) == ('inputs' in request):
        raise _invalid(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            if 'inputs' in request
            else "Missing 'inputs' or 'instances' key"
        )
    by_rows = 'instances' in request
    columns = _columns(request['instances'], specs) if by_rows else request['inputs']
    if not isinstance(columns, dict):
        if len(specs) > 1:
            raise _invalid(
                f'inputs is a plain value/list, but expecting an object of {_listed(specs)}'
            )
        columns = dict.fromkeys(specs, columns)
    check_names(columns, specs)
    return {name: _array(name, columns[name], *specs[name]) for name in specs}, by_rows


def _columns(instances, specs):
    """A list of values for each name, of a list of objects of all names or of plain values."""
    if not isinstance(instances, list):
        raise _invalid("Expecting 'instances' to be an list/array")
    if not instances:
        raise _invalid("No values in 'instances' array")
    if not isinstance(instances[0], dict):
        return instances
    for number, row in enumerate(instances):
        if not isinstance(row, dict) or row.keys() != specs.keys():
            raise _invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f'{_abbreviated(row)} keys must be equal to: {_listed(specs)}'
            )
    return {name: [row[name] for row in instances] for name in specs}


def check_names(names, specs: Specs) -> None:
    """Refuses names that are not a signature's inputs, and inputs without a value."""
    few = itertools.islice(names, len(specs) + MOST_BESIDES)  # There may be a million.
    extra, missing = set(few) - set(specs), {each for each in specs if each not in names}
    if extra or missing:
        raise _invalid(
            f'input size does not match signature: {len(names)}!={len(specs)}. Sent extra: '
            f'{_listed(extra)}. Missing but required: {_listed(missing)}.'
        )


def check_shape(name: str, shape: tuple, spec: tuple) -> None:
    """Refuses a shape that is not a spec's; `None` in it is any number."""
    if len(shape) != len(spec) or any(
        want not in (None, have) for have, want in zip(shape, spec, strict=True)
    ):
        raise _invalid(f'{name}: expecting shape {_shape_text(spec)} but got: {_shape_text(shape)}')


def row_count(inputs: dict) -> int:
    """How many rows the inputs have; refuses those that do not agree."""
    rows = {len(array) for array in inputs.values()}
    if len(rows) > 1:
        raise _invalid(f'inputs have different numbers of rows: {sorted(rows)}')
    return rows.pop()


def _array(name, value, dtype, spec):
    """A nested list as an array; its shape and types are right before anything is made of it."""
    level, shape = [value], []
    for size in spec:
        if set(map(type, level)) != {list}:
            break
        lengths = set(map(len, level))
        if len(lengths) > 1:
            raise _invalid(f'{name}: Encountered list at unexpected size: {_abbreviated(value)}')
        if size not in (None, *lengths):
            break
        shape += lengths
        level = list(itertools.chain.from_iterable(level))
    check_shape(name, (*shape, *_shape_of_first(level)), spec)
    return _of_numbers(name, level, value, dtype).reshape(shape)


def _shape_of_first(level):
    """The shape of the first of some nested lists, as its own first values have it."""
    while level and isinstance(level[0], list):
        level = level[0]
        yield len(level)


def _of_numbers(name, numbers, value, dtype):
    types = set(map(type, numbers))
    if dtype.kind in 'iuf' and types <= ({int, float} if dtype.kind == 'f' else {int}):
        try:
            found = np.array(numbers, np.float64 if dtype.kind == 'f' else np.int64)
        except OverflowError:
            pass
        else:
            if not found.size or _holds(dtype, found):
                return found.astype(dtype)
    kinds = _listed(kind.__name__ for kind in types)
    raise _invalid(
        f'{name}: JSON Value: {_abbreviated(value)} Type: {kinds} '
        f'is not of expected type: {dtype.name}'
    )


def _holds(dtype, found):
    if dtype.kind == 'f':  # NaN and the infinities are numbers here.
        finite = found[np.isfinite(found)]
        return bool((np.abs(finite) <= np.finfo(dtype).max).all())
    limits = np.iinfo(dtype)
    return limits.min <= found.min() and found.max() <= limits.max


def answer(outputs: dict, by_rows: bool) -> bytes:
    """The body that answers a request in its own form; names that end in _bytes are in base64."""
    values = {name: _json_values(name, array) for name, array in outputs.items()}
    if len(values) == 1:
        [content] = values.values()
    elif by_rows:
        content = [dict(zip(values, row)) for row in zip(*values.values(), strict=True)]
    else:
        content = values
    return json.dumps({'predictions' if by_rows else 'outputs': content}).encode()


def _json_values(name, array):
    if name.endswith('_bytes'):
        return [{'b64': base64.b64encode(each).decode()} for each in array]
    if array.dtype == object:  # TensorFlow's strings are bytes in Python.
        return [each.decode() for each in array]
    if array.dtype == np.float32:  # JSON has 0.2 rather than 0.20000000298.
        array = array.astype(str).astype(float)
    return array.tolist()


def error(message: str) -> bytes:
    """The body that tells why there is no other."""
    return json.dumps({'error': message}).encode()


def _invalid(message):
    return RefusedError('INVALID_ARGUMENT', message)


def _listed(names):
    return quoted(','.join(sorted(names)) or '{}')


def _shape_text(shape):
    return f'[{",".join("-1" if size is None else str(size) for size in shape)}]'


def _abbreviated(value):
    if isinstance(value, list | dict):
        return f'{"a list" if isinstance(value, list) else "an object"} of {len(value)}'
    text = json.dumps(value)
    return text if len(text) <= MAX_QUOTED else f'{text[:MAX_QUOTED]}...'
