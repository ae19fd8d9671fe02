"""Drawings: images of any size and one or three channels, which most of all show strokes."""

from tfgan.forms.drawing.sources import SOURCES


class Drawing:
    """The form of images."""

    name = 'drawing'
    sources = SOURCES


FORM = Drawing()
