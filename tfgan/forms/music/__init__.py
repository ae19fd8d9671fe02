"""Music: pieces of one to four voices, in sixteenths."""

from typing import ClassVar

from tfgan.forms.base import MUSIC
from tfgan.forms.music.measures import FIGURES
from tfgan.forms.music.pieces import STEPS_PER_BEAT
from tfgan.forms.music.sources import SOURCES
from tfgan.networks.architecture import Architecture


class Music:
    """The form of pieces: int32 [n, steps, voices] as stored."""

    name = MUSIC
    example = 'pitch'
    output = 'i4', 3
    nouns = 'piece', 'piece'
    redraws = False
    arranges = True
    instead = (
        'it makes music; python -m tfgan.compose harmonises yours, goes on with it or fills it'
    )
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

    def descriptors(self, raw):
        from tfgan.forms.music import measures

        return measures.descriptors(raw)

    def sheet(self, raw, columns=None, pixels=640):
        from tfgan.forms.music import roll

        return roll.sheet(raw, columns, pixels)

    def write(self, out, raw, numbers, recipe=None, bpm=None, **how):
        from tfgan.forms.music import files

        how |= {'tempo_bpm': bpm} if bpm else {}
        files.write(out, raw, numbers, recipe, files.How(**how))

    def sounds(self, raw):
        from tfgan.forms.music import sound

        return sound.samples(raw), sound.RATE

    def again(self, ending, recipe, model):
        from tfgan.forms.music import again

        return again.file(ending, recipe, model)

    def differ(self, ending, recipe, first, second):
        from tfgan.forms.music import again

        return again.differ(ending, recipe, first, second)

    def given_by(self, what, path, data, bars, opened):
        from tfgan.forms.music import asked

        return asked.given(what, path, data, bars, opened)

    def asked_key(self, text):
        from tfgan.forms.music import asked

        return asked.how_of_key(asked.key(text))

    def described(self, data):
        steps, voices = data['shape']
        of = f'{voices} voices' if voices > 1 else 'one voice'
        beats = steps // STEPS_PER_BEAT
        return f'pieces of {of}, {beats} beats long, written in C major or A minor'

    def commands(self, reads):
        return [
            'sample --model={model} --num=4 --seed=7 --out=pieces.mid',
            'compose --model={model} --melody=mine.mid --out=harmonised.mid',
        ]

    def signatures(self, servable):
        import tensorflow as tf

        from tfgan import provenance
        from tfgan.forms.music import midi_graph, rows

        seeds = tf.TensorSpec([None], tf.int64, name='seed')
        label = tf.TensorSpec([None], tf.int32, name='label')
        pitch = servable.example()
        known = tf.TensorSpec(pitch.shape, tf.float32, name='known')

        def fill(seed, label, pitch, known):
            """`labelled`, with what is given where it is known, which stays as it is."""
            is_known = known > 0.5
            known = tf.cast(is_known, tf.float32)
            x = rows.encode(pitch, servable.generator.rows) * known[:, :, None]
            made = servable.generate(*servable.asked(seed, label), x, known)
            return {'pitch': tf.where(is_known, pitch, rows.decode(made))}

        recipes = None
        if servable.provenance and provenance.is_on():
            from tfgan.forms.drawing.recipes import Recipes

            recipes = Recipes(servable.provenance, servable.class_names)

        def recipe(seed, label):
            """What files of `labelled` say of themselves, as JSON."""
            _, label = servable.asked(seed, label)
            return {'recipe': recipes.texts(recipes.seeded(seed, label))}

        def midi(seed):
            """`serving_default` as MIDI files; a server's REST answer has them in base64."""
            told = recipe(seed, tf.fill(tf.shape(seed), -1))['recipe'] if recipes else None
            found = servable.serving_default(seed)['pitch']
            return {'midi_bytes': midi_graph.files(found, recipes=told)}

        found = {'fill': (fill, [seeds, label, pitch, known]), 'midi': (midi, [seeds])}
        if recipes:
            found['recipe'] = recipe, [seeds, label]
        return found


FORM = Music()
