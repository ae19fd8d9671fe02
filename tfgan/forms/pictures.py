"""Pictures of examples, and files of them: what every art form can be looked at by."""

import dataclasses
import io
import os
import pathlib

import numpy as np

from tfgan import provenance, storage
from tfgan.errors import shown

# Pillow's name of each ending's format, and how it is told to write it.
SHEETS = {
    '.png': ('PNG', {}),
    '.jpg': ('JPEG', {'quality': 95}),
    '.jpeg': ('JPEG', {'quality': 95}),
    '.webp': ('WEBP', {'lossless': True}),
}
FEW_GREYS, FEW_COLOURS = 16, 256  # A PNG file has half a byte and one byte a pixel for them.
VECTORS = '.svg', '.pdf', '.gif'  # made of lines, not of pixels
PAPERS_MM = {
    'a2': (420, 594),
    'a3': (297, 420),
    'a4': (210, 297),
    'a5': (148, 210),
    'letter': (215.9, 279.4),
}
FRAME_SECS = 0.05
ANIMATIONS = {'.gif': ('GIF', {}), '.webp': ('WEBP', {'lossless': True}), '.apng': ('PNG', {})}


def sheet(images: np.ndarray, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """Images uint8 [n, h, w, c] side by side in rows, on mid-grey: uint8 [height, width, c]."""
    count, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    page = np.full(
        (gap + rows * (height + gap), gap + columns * (width + gap), channels), 128, np.uint8
    )
    for i, image in enumerate(images):
        top, left = (gap + (height + gap) * (i // columns), gap + (width + gap) * (i % columns))
        page[top : top + height, left : left + width] = image
    return page


def enlarge(image: np.ndarray, pixels: int = 640) -> np.ndarray:
    """An image [h, w, c] with each pixel repeated until it is about `pixels` wide."""
    factor = max(1, round(pixels / image.shape[1]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def picture(image: np.ndarray):
    """A Pillow image of uint8 [h, w, 1 or 3]."""
    from PIL import Image

    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """Pixels uint8 [h, w, 1 or 3] that show themselves in a notebook, and what made them."""

    pixels: np.ndarray
    recipe: dict | None = None

    def save(self, path) -> None:
        """Writes it as PNG, atomically; raises StorageError."""
        write_png(path, self.pixels, self.recipe)

    def _repr_png_(self) -> bytes:
        return provenance.stamped(png(self.pixels), '.png', self.recipe)


def png(image: np.ndarray) -> bytes:
    """A PNG file of uint8 [h, w, 1 or 3]."""
    return encoded([image], 'PNG', {})


def small_png(image: np.ndarray) -> bytes:
    """The same in few greys or colours, which takes about half of the bytes."""
    few = picture(image).quantize(FEW_GREYS if image.shape[-1] == 1 else FEW_COLOURS)
    data = io.BytesIO()
    few.save(data, 'PNG')
    return data.getvalue()


def ending(path) -> str:
    """The ending of a file's name in lower case, with its dot; '' of a folder's."""
    return os.path.splitext(path)[1].lower()


def write_png(path, image: np.ndarray, recipe: dict | None = None) -> None:
    """Writes uint8 [h, w, 1 or 3] as PNG with its recipe, atomically."""
    storage.write_bytes(path, provenance.stamped(png(image), '.png', recipe))


def write_picture(path, image: np.ndarray, recipe: dict | None = None) -> None:
    """The same in the format of a path's ending."""
    data = still(image, ending(path))
    storage.write_bytes(path, provenance.stamped(data, ending(path), recipe))


def still(image: np.ndarray, ending: str) -> bytes:
    """A file of that ending of uint8 [h, w, 1 or 3]."""
    return encoded([image], *SHEETS[ending])


def write_drawings(out: str, drawings: np.ndarray, numbers, recipe: dict | None = None) -> None:
    """A sheet if `out` is named like a picture, else a folder of pictures named by `numbers`."""
    if ending(out) in SHEETS:
        made = recipe and recipe | {'as': 'sheet'}
        write_picture(out, enlarge(sheet(drawings)), made)
    else:
        for i, (number, drawing) in enumerate(zip(numbers, drawings, strict=True)):
            one = provenance.of_one(recipe, i, 'image')
            write_png(pathlib.Path(out) / f'{number}.png', drawing, one)
    print(f'{len(drawings)} drawings, {numbers[0]} to {numbers[-1]}: {shown(out)}')


def write_animation(
    path, frames: list[np.ndarray], frame_secs: float = FRAME_SECS, recipe: dict | None = None
) -> None:
    """Writes frames uint8 [h, w, 1 or 3] as an animation without end, atomically."""
    data = moving(frames, ending(path), frame_secs)
    storage.write_bytes(path, provenance.stamped(data, ending(path), recipe))


def moving(frames: list[np.ndarray], ending: str, frame_secs: float = FRAME_SECS) -> bytes:
    """A file of that ending with frames uint8 [h, w, 1 or 3], without end."""
    kind, options = ANIMATIONS[ending]
    moves = {'save_all': True, 'duration': round(1000 * frame_secs), 'loop': 0}
    return encoded(frames, kind, options | moves)


def encoded(frames: list[np.ndarray], kind: str, options: dict) -> bytes:
    """A file as Pillow writes its kind."""
    data = io.BytesIO()
    first, *others = [picture(frame) for frame in frames]
    first.save(data, kind, append_images=others, **options)
    return data.getvalue()
