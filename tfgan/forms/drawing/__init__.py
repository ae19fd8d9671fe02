"""Drawings: images of any size and one or three channels, which most of all show strokes."""

from typing import ClassVar

from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, Figure
from tfgan.forms.drawing.sources import SOURCES
from tfgan.networks.architecture import Architecture


class Drawing:
    """The form of images: uint8 [n, height, width, 1 or 3] as stored."""

    name = DRAWING
    example = 'image'
    sources = SOURCES
    # fmt: off
    architectures: ClassVar = {
        'mlp':       Architecture('mlp.MlpGenerator',   'mlp.MlpDiscriminator', jit=True),
        'hybrid':    Architecture('conv.ConvGenerator', 'conv.HybridDiscriminator'),
        'conv':      Architecture('conv.ConvGenerator', 'conv.ConvDiscriminator'),
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

    def encode(self, raw):
        from tfgan.forms.drawing.pixels import to_float

        return to_float(raw)

    def decode(self, x):
        from tfgan.forms.drawing.pixels import to_uint8

        return to_uint8(x)

    def augmentation(self, source):
        from tfgan.forms.drawing.augment import DrawingAugmentation

        return DrawingAugmentation(source.shape, source.paper)

    def views(self, source):
        from tfgan.forms.drawing.views import DrawingViews

        return DrawingViews(source.paper)

    def measures(self, raw, source):
        from tfgan.forms.drawing import ink

        return ink.measures(raw, source.paper)

    def sheet(self, raw, columns=None, pixels=640):
        return pictures.enlarge(pictures.sheet(raw, columns), pixels)

    def write(self, out, raw, numbers):
        pictures.write_drawings(out, raw, numbers)

    def signatures(self, servable):
        import tensorflow as tf

        def png(seed):
            """`serving_default` as PNG files; a server's REST answer has them in base64."""
            return {'png_bytes': tf.io.encode_png(servable.serving_default(seed)['image'])}

        return {'png': (png, [tf.TensorSpec([None], tf.int64, name='seed')])}


FORM = Drawing()
