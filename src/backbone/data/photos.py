"""Photographs that need no download: those inside scikit-image's own package, and a reader's own.

Only pictures whose license scikit-image states are listed here; all may be used and shared freely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from backbone.checks import integer, one_of

MIN_SIZE = 8
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # Pillow knows more, rare ones with holes now and then
# What a file of the family says it holds in its ninth to twelfth byte: HEIC and AVIF, not a film.
TELEPHONES = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


@dataclass(frozen=True)
class Photo:
    """What the book knows about one photograph.

    Attributes:
        title: short name for a caption.
        credit: who made it, or where it comes from.
        license: terms of use, as scikit-image's documentation states them.
        alt: one sentence for a reader who cannot see the picture; it describes the square crop.
        color: whether the original has color.
        crop: the square that is shown, in pixels of the original: (first row, first column, side). Its side
            is the largest size ``photo`` can give.
    """

    title: str
    credit: str
    license: str
    alt: str
    color: bool
    crop: tuple[int, int, int]


PHOTOS: Mapping[str, Photo] = MappingProxyType(
    {
        "chelsea": Photo(
            title="Chelsea the cat",
            credit="Stéfan van der Walt",
            license="CC0",
            alt="Close-up of a tabby cat's face with green eyes, looking to the lower right.",
            color=True,
            crop=(0, 75, 300),
        ),
        "astronaut": Photo(
            title="Astronaut Eileen Collins",
            credit="NASA",
            license="public domain",
            alt="A smiling astronaut in an orange suit, between a flag and a model of the space shuttle, "
            "a white helmet in front of her.",
            color=True,
            crop=(0, 0, 512),
        ),
        "coffee": Photo(
            title="Coffee cup",
            credit="Rachel Michetti, courtesy of Pikolo Espresso Bar",
            license="CC0",
            alt="A red cup of espresso with a spoon on a red saucer, seen from above on a wooden table.",
            color=True,
            crop=(0, 100, 400),
        ),
        "rocket": Photo(
            title="Falcon 9 on the launch pad",
            credit="SpaceX",
            license="public domain",
            alt="A slender white rocket stands upright between two lattice towers against a dark blue sky, "
            "with bright lamps at its foot.",
            color=True,
            crop=(87, 160, 320),
        ),
        "camera": Photo(
            title="Photographer",
            credit="Lav Varshney",
            license="CC0",
            alt="A man in a dark coat looks through a camera on a tripod, on a lawn; buildings far behind.",
            color=False,
            crop=(0, 0, 512),
        ),
        "brick": Photo(
            title="Brick wall",
            credit="CC0Textures",
            license="CC0",
            alt="Dark bricks standing on end, with bright joints that run nearly straight up and across.",
            color=False,
            crop=(256, 0, 256),
        ),
        "grass": Photo(
            title="Grass",
            credit="linolafett (DeviantArt)",
            license="CC0",
            alt="Blades of grass in all directions, seen from above.",
            color=False,
            crop=(0, 0, 256),
        ),
        "gravel": Photo(
            title="Gravel",
            credit="CC0Textures",
            license="CC0",
            alt="Small stones of many shapes lying close together, with dark gaps between them.",
            color=False,
            crop=(0, 0, 256),
        ),
        "coins": Photo(
            title="Greek coins from Pompeii",
            credit="Brooklyn Museum Collection",
            license="no known copyright restrictions",
            alt="Four rows of five round coins, bright on a dark background.",
            color=False,
            crop=(0, 78, 303),
        ),
    }
)
"""The photographs by name."""


def photo(name: str, size: int = 128, gray: bool = True) -> np.ndarray:
    """Load a photograph as a square array.

    It is cropped to a square around its subject and averaged down over areas, so that no aliasing arises.

    Args:
        name: one of ``PHOTOS``.
        size: side of the result in pixels, from 8 to the side of its ``crop``.
        gray: whether to mix the color channels to luma (0.2125 R + 0.7154 G + 0.0721 B).

    Returns:
        float64 array with values in [0, 1], a fresh copy on each call: (size, size) in gray,
        (3, size, size) in color. A photo that was gray from the start gives three equal channels.

    Raises:
        ValueError: for an unknown name or an impossible size.

    Source: scikit-image, ``skimage.data``.
    """
    one_of("photo", "name", name, PHOTOS)
    largest = PHOTOS[name].crop[2]
    size = integer("photo", f"size of {name!r}", size, MIN_SIZE, largest)
    return _load(name, size, bool(gray)).copy()


@lru_cache(maxsize=32)
def _load(name: str, size: int, gray: bool) -> np.ndarray:
    # Imported here: scikit-image takes longer to import than everything else in this module.
    import skimage.data
    from skimage.color import rgb2gray
    from skimage.transform import resize_local_mean

    top, left, side = PHOTOS[name].crop
    color = PHOTOS[name].color
    picture = getattr(skimage.data, name)()  # (H, W) or (H, W, 3), uint8
    picture = picture[top : top + side, left : left + side] / 255.0
    if color and gray:
        picture = rgb2gray(picture)
    channel_axis = 2 if picture.ndim == 3 else None
    picture = resize_local_mean(picture, (size, size), channel_axis=channel_axis)
    picture = picture.clip(0, 1)  # averaging can pass 1 by a rounding error
    if gray:
        return picture  # (size, size)
    return np.moveaxis(picture, 2, 0) if color else np.stack([picture] * 3)  # (3, size, size)


def photo_from(path: str | Path) -> np.ndarray:
    """Read a picture of your own from a file: JPEG, PNG, WebP, GIF, BMP or TIFF.

    It is turned as the camera was held. What is transparent becomes white, gray becomes three equal channels, and of
    an animation the first picture is taken.

    Args:
        path: of the file.

    Returns:
        float32 array (3, H, W) with values in [0, 1], in the picture's own size, as ``pretrained.prepare``
        and ``plots.show_image`` take it.

    Raises:
        FileNotFoundError: there is no such file.
        PermissionError: the file may not be read.
        ValueError: the file holds no picture that can be read, or one of floating-point numbers outside [0, 1].
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"photo_from: there is no file {str(path)!r}; on Colab, upload it first")
    try:
        with Image.open(path, formats=FORMATS) as file:
            upright = ImageOps.exif_transpose(file)
            upright.load()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # SyntaxError: a damaged PNG
        raise ValueError(f"photo_from: {str(path)!r} cannot be read{_reason(path, error)}") from error
    return np.ascontiguousarray(np.moveaxis(_rgb(upright), -1, 0))


def _reason(path: Path, error: Exception) -> str:
    """Say why a file is no picture that Pillow reads, and what to do."""
    if isinstance(error, Image.DecompressionBombError):
        return ": it has more pixels than is safe. Save a smaller copy"
    with path.open("rb") as file:
        kind = file.read(12)[4:]
    if kind[:4] == b"ftyp" and kind[4:] in TELEPHONES:
        return (
            ": it is a HEIC or AVIF picture, as telephones make them. Save it as JPEG: open it in the telephone's or "
            "computer's picture viewer and export it"
        )
    if isinstance(error, UnidentifiedImageError):
        return f": it is no picture of a kind known here, {', '.join(FORMATS)}. Save it as JPEG or PNG"
    return f": {error}. Copy the file again, or save it anew as JPEG or PNG"


def _rgb(picture: Image.Image) -> np.ndarray:
    """Return a picture of any mode as float32 (H, W, 3)."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits, or floating point, gray
        gray = np.asarray(picture, np.float32) / (1 if picture.mode == "F" else 65535)
        if not 0 <= gray.min() <= gray.max() <= 1:
            raise ValueError(f"photo_from: the file holds {gray.min():g} to {gray.max():g}; scale it to [0, 1]")
        return np.stack([gray] * 3, axis=-1)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"), np.float32) / 255
