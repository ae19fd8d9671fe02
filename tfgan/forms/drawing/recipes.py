"""Recipes in TensorFlow's graph: what the files of an export say of themselves, on any server.

A PNG file's chunk ends with its CRC-32, for which TensorFlow has no operation. All these chunks of
an export have one length, and of such the CRC is affine over GF(2): that of one of them, and for
each place and each letter there a number, all combined by exclusive or.
"""

import functools
import json
import zlib

import numpy as np
import tensorflow as tf

from tfgan import provenance

SEED_LETTERS = 20  # of the longest one; shorter ones have spaces before them, which JSON permits
FIRST, LETTERS = ord(' '), ord('9') - ord(' ') + 1  # those that a seed can have
DIGITS = 8  # after the point of latents and shares, that tell all of them apart
BYTES = [bytes([each]) for each in range(256)]
ALL = 1 << 30  # bytes: whatever is left of a file
MARK = '"drawings":[]'


class Recipes:
    """Texts of drawings' recipes; `facts` are those of the model, {software, model, ...}."""

    def __init__(self, facts: dict, class_names: list[str]):
        self._facts, self._names = facts, [json.dumps(name) for name in class_names]

    def _around(self, made_as):
        told = provenance.recipe(self._facts, [], **{'as': made_as})
        start, _, end = provenance.as_json(told).rpartition(MARK)
        return f'{start}{MARK[:-1]}', f']{end}'

    def seeded(self, seed, label, names=None):
        """JSON of drawings [n] of seeds int64 [n] and labels int32 [n]."""
        return _object(seed=_whole(seed), label=tf.gather(names or self._names, label))

    def given(self, latents, label):
        """JSON of drawings [n] of latents."""
        return _object(latents=_list(latents), label=tf.gather(self._names, label))

    def between_seeds(self, seed, to_seed, share, label):
        """JSON of drawings [n] on the way between seeds."""
        way = {'seed': _whole(seed), 'to_seed': _whole(to_seed), 'share': _decimal(share)}
        return _object(**way, label=tf.gather(self._names, label))

    def between(self, latents, to_latents, share, label, to_label):
        """JSON of drawings [n] on the way between latents."""
        way = {'latents': _list(latents), 'to_latents': _list(to_latents)}
        names = {'label': label, 'to_label': to_label}
        names = {name: tf.gather(self._names, each) for name, each in names.items()}
        return _object(**way, share=_decimal(share), **names)

    def texts(self, drawings):
        """Whole recipes of JSON of drawings [n]."""
        start, end = self._around('image')
        return tf.strings.join([start, drawings, end])

    def metadata(self, drawings):
        """What SVG files say of JSON of drawings [n]."""
        for letter, escaped in (('&', '&amp;'), ('<', '&lt;'), ('>', '&gt;')):
            drawings = tf.strings.regex_replace(drawings, letter, escaped)
        start, end = map(provenance.xml, self._around('strokes'))
        facts = provenance.recipe(self._facts, [])
        before, _, after = provenance.metadata(facts, MARK).partition(MARK)
        return tf.strings.join([before + start, drawings, end + after])

    def in_pngs(self, pngs, seed, label):
        """PNG files [n] of seeds and labels, with their recipes."""
        widest = max(map(len, self._names))
        names = [name.ljust(widest) for name in self._names]
        start, end = (each.encode() for each in self._around('image'))
        start = b'tEXt' + provenance.CHUNK + b'\0' + start
        body = tf.strings.join([start, self.seeded(seed, label, names), end])
        place = len(start) + len('{"seed":')
        blank = _object_text(' ' * SEED_LETTERS, ' ' * widest).encode()
        check = Check(start + blank + end)
        number = check.of_letters(place, _whole(seed), SEED_LETTERS)
        at = place + SEED_LETTERS + len(',"label":')
        number = tf.bitwise.bitwise_xor(number, tf.gather(check.of_texts(at, names), label))
        length = np.array(len(start + blank + end) - 4, '>u4').tobytes()
        header = tf.strings.substr(pngs, 0, provenance.HEADER_BYTES)
        known = provenance.xmp_chunk(provenance.recipe(self._facts, []))
        left = tf.strings.substr(pngs, provenance.HEADER_BYTES, ALL)
        return tf.strings.join([header, known + length, body, _four_bytes(number), left])


class Check:
    """CRC-32 of texts of one length that are a blank one but for some places."""

    def __init__(self, blank: bytes):
        self._blank, self._crc = blank, zlib.crc32(blank)

    def _with(self, at, letters):
        changed = self._blank[:at] + letters + self._blank[at + len(letters) :]
        return zlib.crc32(changed)

    def of_letters(self, at: int, texts, count: int):
        """The CRC [n], uint32, where texts [n] of so many letters of seeds stand at a place."""
        table = [
            self._with(at + place, BYTES[FIRST + letter]) ^ self._crc
            for place in range(count)
            for letter in range(LETTERS)
        ]
        letters = tf.reshape(tf.io.decode_raw(texts, tf.uint8), [-1, count])
        rows = tf.cast(letters, tf.int32) - FIRST + LETTERS * np.arange(count, dtype=np.int32)
        each, crc = (
            tf.gather(tf.constant(table, tf.uint32), rows),
            tf.constant(self._crc, tf.uint32),
        )
        return functools.reduce(tf.bitwise.bitwise_xor, tf.unstack(each, axis=1), crc)

    def of_texts(self, at: int, texts: list[str]):
        """What each of some texts at a place changes of it: uint32 [texts]."""
        return tf.constant([self._with(at, each.encode()) ^ self._crc for each in texts], tf.uint32)


def _object_text(seed, label):
    return f'{{"seed":{seed},"label":{label}}}'


def _object(**members):
    parts = []
    for name, value in members.items():
        parts += [f'{"," if parts else "{"}"{name}":', value]
    return tf.strings.join([*parts, '}'])


def _whole(seed):
    return tf.strings.as_string(seed, width=SEED_LETTERS)


def _decimal(values):
    return tf.strings.as_string(values, precision=DIGITS, scientific=True)


def _list(values):
    numbers = tf.strings.reduce_join(_decimal(values), axis=-1, separator=',')
    return tf.strings.join(['[', numbers, ']'])


def _four_bytes(numbers):
    """Numbers uint32 [n] as strings of four bytes, the highest first."""
    parts = tf.cast(tf.bitcast(numbers, tf.uint8), tf.int32)[:, ::-1]
    return tf.strings.reduce_join(tf.gather(tf.constant(BYTES), parts), axis=-1)
