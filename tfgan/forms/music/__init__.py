"""Music: pieces of one to four voices, in sixteenths."""

from typing import ClassVar

from tfgan.forms.base import MUSIC
from tfgan.forms.music.measures import FIGURES
from tfgan.forms.music.sources import SOURCES
from tfgan.networks.architecture import Architecture


class Music:
    """The form of pieces: int32 [n, steps, voices] as stored."""

    name = MUSIC
    example = 'pitch'
    sources = SOURCES
    figures = FIGURES
    # fmt: off
    architectures: ClassVar = {
        'beats': Architecture('music.RecurrentGenerator', 'music.MusicDiscriminator'),
        'bars':  Architecture('music.DenseGenerator',     'music.MusicDiscriminator'),
    }
    # fmt: on

    # What imports TensorFlow, which takes seconds, does so when it is called.

    def shape(self, data):
        steps, voices = data['shape']
        return steps, data['rows'], voices

    def encode(self, raw, shape):
        from tfgan.forms.music import rows

        return rows.encode(raw, shape[1])

    def decode(self, x):
        from tfgan.forms.music import rows

        return rows.decode(x)

    def given(self, x, seeds):
        from tfgan.forms.music import rows

        return rows.given(x, seeds)

    def ground(self, source):
        return None

    def augmentation(self, source):
        from tfgan.forms.music.augment import MusicAugmentation

        return MusicAugmentation()

    def views(self, source):
        from tfgan.forms.music.views import MusicViews

        return MusicViews(source)

    def measures(self, raw, source):
        from tfgan.forms.music import measures

        return measures.measures(raw, source)

    def traits(self, raw):
        return {}

    def sheet(self, raw, columns=None, pixels=640):
        from tfgan.forms.music import roll

        return roll.sheet(raw, columns, pixels)

    def write(self, out, raw, numbers, recipe=None, **how):
        from tfgan.forms.music import files

        files.write(out, raw, numbers, recipe, **how)

    def signatures(self, servable):
        return {}


FORM = Music()
