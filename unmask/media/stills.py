"""Pictures, and animations that PyAV can't read, through Pillow: a picture is one frame."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageFile

from unmask.errors import Refused
from unmask.media.behind import film_follows
from unmask.media.budget import Budget
from unmask.media.colour import Rgb
from unmask.media.geometry import View
from unmask.media.glow import deep_pixels, in_srgb
from unmask.media.jpegs import another_follows
from unmask.media.moving import USUAL_MS, moves
from unmask.media.picture import Picture
from unmask.media.values import MediaInfo, MediaKind
from unmask.outcomes import Outcome

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "HEIF", "GIF")
#: Several pictures in one of these are no moments of one scene: pages, a burst, the light of HDR.
_COLLECTIONS = frozenset({"tiff", "mpo", "heif"})
#: Of these collections the further ones may show somebody else.
_ALBUMS = frozenset({"tiff", "heif"})
#: What Pillow calls the list of the pictures behind a JPEG, of which the first is the main one.
_INDEX = "mp"
#: What Pillow raises on broken files: it has no error of its own for all of them.
_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError),
    *(RuntimeError, ArithmeticError, AttributeError, struct.error),
)
_MILLISECONDS = 1000
_WHITE = (255, 255, 255, 255)
#: What brings a picture upright, by its orientation in EXIF.
_WAYS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Lines that are brought to what a page shows at once.
_ROWS = 512
_LEFT_ASIDE = "it holds more than one picture; only the main one was looked at"
#: Telephones write what went before a photograph behind it.
_BEFORE_FILMS = frozenset({"jpeg", "mpo", "png"})
_FILM_BEHIND = "a film lies behind the picture; only the picture was looked at"
#: Samples of 16 bits are brought to eight.
_DEEP = {"I", "I;16", "I;16B", "I;16L", "F"}
#: Floating samples up to this have white at 1, which what was sharpened reaches beyond.
_FLOAT_MOST = 2.0

pillow_heif.register_heif_opener()
# The caller's limit holds, not Pillow's own, which only warns.
Image.MAX_IMAGE_PIXELS = None


class Still:
    """An opened picture file, or an animation of pictures."""

    def __init__(self, file: BinaryIO, image: Image.Image, budget: Budget) -> None:
        budget.check_size(*image.size)
        self._file = file
        self._image = image
        #: The frame that is next, and its moment.
        self._index, self._milliseconds = 0, 0.0
        self._budget = budget
        self.frames_decoded = 0
        self.broken_packets = 0
        self.last_error = ""
        name, several = (image.format or "picture").lower(), _holds_several(image)
        self._first = self._picture(0.0)
        width, height = self._first.view.size
        kind: MediaKind = "animation" if several and name not in _COLLECTIONS else "picture"
        self.left_aside = self._what_is_left(name, several=several)
        length, rate = (moves(file, name, budget) if kind == "animation" else None) or (None, None)
        budget.check_duration(length)
        self.info = MediaInfo(
            kind=kind,
            container=name,
            codec=name,
            width=width,
            height=height,
            duration_s=length,
            frame_rate=rate,
        )

    def _what_is_left(self, name: str, *, several: bool) -> str:
        if self._is_album(name, several=several):
            return _LEFT_ASIDE
        moves_behind = name in _BEFORE_FILMS and film_follows(self._file, self._budget)
        return _FILM_BEHIND if moves_behind else ""

    def _is_album(self, name: str, *, several: bool) -> bool:
        if name != "jpeg" or _INDEX in self._image.info:
            return several and name in _ALBUMS
        return another_follows(self._file, self._budget)

    def near(self, start_s: float, slack_s: float) -> float:
        return start_s

    def pictures(self, start_s: float) -> Iterator[Picture]:
        if self.info.kind == "picture":
            yield from () if start_s > 0 else (self._first,)
            return
        if start_s * _MILLISECONDS < self._milliseconds:
            self._begin_again()
        while self._turn_to(self._index):
            self._budget.check()
            index, moment = self._index, self._milliseconds / _MILLISECONDS
            self._index += 1
            self._milliseconds += float(self._image.info.get("duration") or USUAL_MS)
            if moment >= start_s:
                yield self._first if index == 0 else self._picture(moment)

    def _begin_again(self) -> None:
        """Opened anew: in the middle of an animation Pillow does not always find back."""
        again = open_image(self._file)
        if again is not None:
            self._image = again
            self._index, self._milliseconds = 0, 0.0

    def _turn_to(self, index: int) -> bool:
        try:
            with _unwarned():
                self._image.seek(index)
                self._image.load()
        except EOFError:
            return False
        except _BROKEN as error:
            self.broken_packets += 1
            self.last_error = str(error)
            return False
        return True

    def _picture(self, time_s: float) -> Picture:
        self._budget.check()
        pixels = self._pixels()
        self._budget.check()
        self.frames_decoded += 1
        view = View(coded_width=pixels.shape[1], coded_height=pixels.shape[0])
        return Picture(time_s=time_s, view=view, planes=(pixels,))

    def _pixels(self) -> Rgb:
        try:
            with _unwarned():
                self._load()
                deep = deep_pixels(self._file, self._image)
                return flat_pixels(_upright(self._image)) if deep is None else deep
        except _BROKEN as error:
            reason = f"the picture can't be decoded: {error}"
            raise Refused(Outcome.UNDECODABLE, reason) from error

    def _load(self) -> None:
        """What is there of a picture that was cut off is kept, and the result says so."""
        try:
            self._image.load()
        except _BROKEN as error:
            self.broken_packets += 1
            self.last_error = str(error)
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                self._image.load()
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False


def _upright(image: Image.Image) -> Image.Image:
    """Not by Pillow's own way, which copies what lies right, and writes the EXIF block anew."""
    way = _WAYS.get(_orientation(image))
    return image if way is None else image.transpose(way)


def _orientation(image: Image.Image) -> object:
    """Tools that wipe who took a picture spoil the block that tells it; the pixels are whole."""
    with suppress(*_BROKEN):
        return image.getexif().get(ExifTags.Base.Orientation)
    return None


def flat_pixels(image: Image.Image) -> Rgb:
    """As a page would show it; strip by strip, since every step takes the room of a copy."""
    width, height = image.size
    shown = np.empty((height, width, 3), np.uint8)
    most = _most(image) if image.mode in _DEEP else 0.0
    for top in range(0, height, _ROWS):
        strip = image.crop((0, top, width, min(top + _ROWS, height)))
        shown[top : top + _ROWS] = np.asarray(_flat(strip, most), np.uint8)
    return shown


def _flat(image: Image.Image, most: float) -> Image.Image:
    """Eight bits, RGB, on white where it is transparent."""
    if image.mode in _DEEP:
        image = _eight_bits(image, most)
    image = in_srgb(image)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, _WHITE), clear)
    return image.convert("RGB")


def _most(image: Image.Image) -> float:
    """White, by the brightest sample: nothing else tells what the numbers go up to."""
    brightest = np.asarray(image).max(initial=0)
    if image.mode == "F" and brightest <= _FLOAT_MOST:
        return 1.0
    return 65535.0 if brightest > 255 else 255.0


def _eight_bits(image: Image.Image, most: float) -> Image.Image:
    samples = np.asarray(image, dtype=np.float64)
    return Image.fromarray((samples * (255 / most)).clip(0, 255).astype(np.uint8))


def open_image(file: BinaryIO) -> Image.Image | None:
    """The picture, or None where Pillow knows no such format; GIFs that move are FFmpeg's."""
    file.seek(0)
    try:
        with _unwarned():
            image = Image.open(file, formats=FORMATS)
            return None if image.format == "GIF" and _holds_several(image) else image
    except _BROKEN:
        return None


def _holds_several(image: Image.Image) -> bool:
    return bool(getattr(image, "is_animated", False))


@contextmanager
def _unwarned() -> Iterator[None]:
    """Pillow warns of what it can mend itself; what it can't is told in the manifest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
