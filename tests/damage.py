"""Files damaged at random, as disks and networks do it."""

import struct
import zlib

import numpy as np

HEIGHT, WIDTH = 20, 24  # of the images in the files


def flipped(data, rng):
    """Some bytes changed, as often among the first as anywhere."""
    changed = bytearray(data)
    reach = len(data) if rng.random() < 0.5 else min(64, len(data))
    for place in rng.integers(0, reach, rng.integers(1, 20)):
        changed[place] = rng.integers(256)
    return bytes(changed)


def cut(data, rng):
    return data[: rng.integers(len(data))]


def extended(data, rng):
    return data + rng.bytes(rng.integers(1, 300))


def holed(data, rng):
    """A stretch taken out, put in twice, or blank."""
    first, last = np.sort(rng.integers(0, len(data) + 1, 2))
    stretch = data[first:last]
    between = (b'', stretch + stretch, bytes(len(stretch)))[rng.integers(3)]
    return data[:first] + between + data[last:]


def other_length(data, rng):
    """A number of 1 to 8 bytes overwritten, as a length or an offset may be."""
    size = int(rng.choice([1, 2, 4, 8]))
    place = rng.integers(0, max(1, min(len(data), 400) - size))
    number = (0, 1, 2**7, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**64 - 1)[rng.integers(8)]
    whole = (number % 256**size).to_bytes(size, ('little', 'big')[rng.integers(2)])
    return data[:place] + whole + data[place + size :]


def other_size(data, rng):
    """Width or height, wherever they are written, made large or nothing."""
    old = int(rng.choice([HEIGHT, WIDTH]))
    new = int(rng.choice([0, 1, 5000, 9000, 30_000, 65_535, 2**31 - 1]))
    for form in '>I', '<I', '>H', '<H':
        if rng.random() < 0.7:
            most = 256 ** struct.calcsize(form) - 1
            data = data.replace(struct.pack(form, old), struct.pack(form, min(new, most)))
    return data.replace(f'{old}'.encode(), f'{new}'.encode()) if data[:1] == b'P' else data


DAMAGES = flipped, cut, extended, holed, other_length, other_size


def with_checksums(data):
    """A PNG file whose chunks are believed again; other files as they are."""
    if data[:8] != b'\x89PNG\r\n\x1a\n':
        return data
    place, chunks = 8, [data[:8]]
    while place + 12 <= len(data):
        (size,) = struct.unpack('>I', data[place : place + 4])
        body = data[place + 4 : place + 8 + size]
        chunks += [data[place : place + 4], body, struct.pack('>I', zlib.crc32(body))]
        place += 12 + size
    return b''.join(chunks) + data[place:]


def damaged(data, others, rng):
    """A file's bytes with one to three kinds of damage, or the head of it and another's tail."""
    if rng.random() < 0.1:
        other = others[rng.integers(len(others))]
        return data[: rng.integers(len(data))] + other[rng.integers(len(other)) :]
    for damage in rng.choice(len(DAMAGES), rng.integers(1, 4)):
        data = DAMAGES[damage](data, rng) if data else data
    return with_checksums(data) if rng.random() < 0.7 else data
