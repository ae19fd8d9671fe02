"""Drawings: images of any size and one or three channels, which most of all show strokes."""

from typing import ClassVar

import numpy as np

from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, Figure
from tfgan.forms.drawing.sources import SOURCES
from tfgan.networks.architecture import Architecture


class Drawing:
    """The form of images: uint8 [n, height, width, 1 or 3] as stored."""

    name = DRAWING
    example = 'image'
    output = 'u1', 4
    nouns = 'drawing', 'image'
    redraws = True
    arranges = False
    instead = 'it makes drawings; python -m tfgan.redraw redraws, varies and mends yours'
    sources = SOURCES
    # fmt: off
    architectures: ClassVar = {
        'mlp':       Architecture('mlp.MlpGenerator',   'mlp.MlpDiscriminator', jit=True),
        'hybrid':    Architecture('conv.ConvGenerator', 'conv.HybridDiscriminator'),
        'conv':      Architecture('conv.ConvGenerator', 'conv.ConvDiscriminator'),
        'pen':       Architecture('pen.PenGenerator',   'conv.LargeDiscriminator'),
        'pen_gru':   Architecture('pen.RecurrentPenGenerator', 'conv.LargeDiscriminator'),
        'recurrent': Architecture('mlp.MlpGenerator',   'recurrent.RecurrentDiscriminator',
                                  piecewise_linear=False),
    }
    # fmt: on
    figures: ClassVar = {
        'ink_share': Figure('near', 'mean ink'),
        'haze_share': Figure('near', 'pixels that are grey for no stroke'),
        'stroke_width': Figure('near', 'mean stroke width in pixels'),
        'parts': Figure('near', 'mean number of strokes that touch no other'),
        'specks': Figure('near', 'mean number of those of one or two pixels'),
    }

    # What imports TensorFlow or SciPy, which take seconds, does so when it is called.

    def shape(self, data):
        return tuple(data['shape'])

    def given(self, x, seeds):
        return ()

    def encode(self, raw, shape=None):
        from tfgan.forms.drawing.pixels import to_float

        return to_float(raw)

    def decode(self, x):
        from tfgan.forms.drawing.pixels import to_uint8

        return to_uint8(x)

    def ground(self, source):
        return self.encode(np.array(source.paper, np.uint8))

    def augmentation(self, source):
        from tfgan.forms.drawing.augment import DrawingAugmentation

        return DrawingAugmentation(source.shape, source.paper)

    def views(self, source):
        from tfgan.forms.drawing.views import DrawingViews

        return DrawingViews(source.paper)

    def measures(self, raw, source):
        from tfgan.forms.drawing import ink

        return ink.measures(raw, source.paper)

    def descriptors(self, raw):
        return {}

    def traits(self, raw):
        from tfgan.forms.drawing import ink

        return ink.traits(raw, ink.paper_of(raw))

    def sheet(self, raw, columns=None, pixels=640):
        return pictures.enlarge(pictures.sheet(raw, columns), pixels)

    def write(self, out, raw, numbers, recipe=None):
        pictures.write_drawings(out, raw, numbers, recipe)

    def outlines(self, raw):
        from tfgan.forms.drawing import ink, outlines

        return outlines.files(raw, ink.paper_of(raw))

    def write_svgs(self, out, ending, svgs, numbers, recipe=None, **how):
        from tfgan.forms.drawing import prints

        prints.write(out, ending, svgs, numbers, prints.How(**how), recipe)

    def write_scene(self, out, ending, svgs, scene, how, recipe=None):
        from tfgan.forms.drawing import scene as scenes

        scenes.write(out, ending, svgs, scenes.Scene(**scene), how, recipe)

    def svgs(self, strokes, ground, shape):
        return [each.decode() for each in self._svgs(strokes, ground, shape).numpy()]

    def _svgs(self, strokes, ground, shape, told=''):
        import tensorflow as tf

        from tfgan.forms.drawing import svg

        levels = strokes._replace(colour=tf.cast(self.decode(strokes.colour), tf.int32))
        return svg.files(levels, tf.cast(self.decode(ground), tf.int32), *shape[:2], told)

    def frame(self, svgs, size, frames):
        from tfgan.forms.drawing import prints

        return prints.frame(svgs, size, frames)

    def hand(self, drawings):
        from tfgan.forms.drawing import framing

        return framing.hand(drawings)

    def framed(self, picture, hand, mask=None):
        from tfgan.forms.drawing import framing

        return framing.framed(picture, hand, mask)

    def likeness(self, own, images):
        from tfgan.forms.drawing import framing

        return framing.likeness(own, images)

    def as_svg(self, own, drawing):
        from tfgan.forms.drawing import framing

        return framing.as_svg(own, drawing)

    def placed(self, own, drawing):
        from tfgan.forms.drawing import framing

        return framing.placed(own, drawing)

    def write_placed(self, out, own, drawings, names, recipe=None):
        from tfgan.forms.drawing import framing

        framing.write(out, own, drawings, names, recipe)

    def page_of(self, own):
        from tfgan.forms.drawing import framing

        return framing.page_of(own)

    def again(self, ending, recipe, model):
        from tfgan.forms.drawing import again

        return again.file(ending, recipe, model)

    def differ(self, ending, recipe, first, second):
        from tfgan.forms.drawing import again

        return again.differ(ending, recipe, first, second)

    def mended(self, own, drawing):
        from tfgan.forms.drawing import framing

        return framing.mended(own, drawing)

    def walk(self, first, last, drawings):
        from tfgan.forms.drawing import framing

        return framing.walk(first, last, drawings)

    def sounds(self, raw):
        return None

    def described(self, data):
        height, width, channels = data['shape']
        return f'drawings {height} pixels high and {width} wide with {channels} channel(s)'

    def commands(self, reads):
        redraw = 'redraw --model={model} --image=mine.png --out=redrawn.svg'
        sample = 'sample --model={model} --num=64 --seed=7 --out=sheet.png'
        return [sample, redraw] if reads else [sample]

    def signatures(self, servable):
        import tensorflow as tf

        from tfgan import provenance

        seeds = tf.TensorSpec([None], tf.int64, name='seed')
        label = tf.TensorSpec([None], tf.int32, name='label')
        recipes = None
        if servable.provenance and provenance.is_on():
            from tfgan.forms.drawing.recipes import Recipes

            recipes = Recipes(servable.provenance, servable.class_names)

        def png(seed):
            """`serving_default` as PNG files; a server's REST answer has them in base64."""
            found = tf.io.encode_png(servable.serving_default(seed)['image'])
            if recipes:
                _, label = servable.asked(seed, tf.fill(tf.shape(seed), -1))
                found = recipes.in_pngs(found, seed, label)
            return {'png_bytes': found}

        def recipe(seed, label):
            """What files of `labelled` say of themselves, as JSON."""
            _, label = servable.asked(seed, label)
            return {'recipe': recipes.texts(recipes.seeded(seed, label))}

        found = {'png': (png, [seeds])}
        if recipes:
            found['recipe'] = recipe, [seeds, label]
        if not hasattr(servable.generator, 'strokes'):
            return found

        # As functions, these are in the graph but once.
        drawn = tf.function(servable.generator.strokes, autograph=False)
        drawn_between = tf.function(servable.generator.strokes_between, autograph=False)

        def strokes(seed, label):
            """The strokes of `labelled`, on a page whose longer side is 1 and middle (0.5, 0.5)."""
            made = drawn(*servable.asked(seed, label))
            return made._asdict() | {'colour': self.decode(made.colour)}

        def as_svg(seed, label):
            """`labelled` as SVG files; a server's REST answer has them in base64."""
            normal, label = servable.asked(seed, label)
            return svgs(drawn(normal, label), recipes and recipes.seeded(seed, label))

        def interpolate_svg(seed, to_seed, share, label):
            """`interpolate` as SVG files."""
            way = servable.way(seed, to_seed, share, label)
            told = recipes and recipes.between_seeds(seed, to_seed, share, way[-1])
            return svgs(drawn_between(*way), told)

        @tf.function(autograph=False)
        def svgs(made, drawings):
            told = recipes.metadata(drawings) if recipes else ''
            generator = servable.generator
            return {'svg_bytes': self._svgs(made, generator.ground, generator.shape, told)}

        def latents_svg(latents, label):
            """`latents` as SVG files."""
            label = servable.checked(label)
            return svgs(drawn(latents, label), recipes and recipes.given(latents, label))

        def between_svg(latents, to_latents, share, label, to_label):
            """`between` as SVG files."""
            ends = servable.checked(label), servable.checked(to_label)
            way = latents, to_latents, share, *ends
            return svgs(drawn_between(*way), recipes and recipes.between(*way))

        found |= {
            'strokes': (strokes, [seeds, label]),
            'svg': (as_svg, [seeds, label]),
            'interpolate_svg': (interpolate_svg, servable.WAY),
        }
        if servable.encoder:
            specs = servable.between_specs()
            found['latents_svg'] = latents_svg, [specs[0], label]
            found['between_svg'] = between_svg, specs
        return found


FORM = Drawing()
