"""Pictures of more light or other colours than a screen's: brought to what it shows alike.

HEIC and AVIF tell what their signal means by two numbers of ITU-T H.273; others carry a profile.
"""

import io
from functools import cache
from typing import BinaryIO

import av
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

from unmask.errors import Refused
from unmask.media.colour import Rgb
from unmask.media.light import Transfer, on_a_screen
from unmask.media.planes import TRANSFERS, WIDE, to_picture
from unmask.media.video import open_container

#: An AVIF tells its colours before its pixels, within so many bytes.
_HEAD_BYTES = 1 << 16
_NCLX = b"colrnclx"
_DEEPEST = np.float32(65535)
#: Rows brought to a screen's light at once: in full precision a picture takes eight times its room.
_ROWS = 64


def deep_pixels(file: BinaryIO, image: Image.Image) -> Rgb | None:
    """An HDR picture as a screen shows it, upright; None where it is an ordinary one."""
    if image.format == "HEIF":
        return _heif_pixels(file, image)
    return _avif_pixels(file, image) if image.format == "AVIF" else None


def _heif_pixels(file: BinaryIO, image: Image.Image) -> Rgb | None:
    profile = image.info.get("nclx_profile") or {}
    transfer, wide = _meant(
        profile.get("transfer_characteristics", 0), profile.get("color_primaries", 0)
    )
    if transfer == "sdr":
        return None
    file.seek(0)
    heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    samples = np.asarray(heif[heif.primary_index])
    if samples.dtype != np.uint16:
        return None
    return _on_a_screen(samples[..., :3], transfer, wide=wide)


def _meant(transfer: int, primaries: int) -> tuple[Transfer, bool]:
    return TRANSFERS.get(transfer, "sdr"), primaries == WIDE


def _on_a_screen(samples: NDArray[np.uint16], transfer: Transfer, *, wide: bool) -> Rgb:
    shown = np.empty(samples.shape, np.uint8)
    for top in range(0, len(samples), _ROWS):
        rows = slice(top, top + _ROWS)
        signal = samples[rows].astype(np.float32) / _DEEPEST
        shown[rows] = on_a_screen(signal, transfer, wide=wide)
    return shown


def _avif_pixels(file: BinaryIO, image: Image.Image) -> Rgb | None:
    """Pillow gives eight bits of signal and does not tell what they mean; FFmpeg does both."""
    if _told_by_header(file) == "sdr":
        return None
    file.seek(0)
    try:
        with open_container(file) as container:
            codec = container.streams.video[0].codec_context.name
            picture = to_picture(next(container.decode(video=0)), 0.0, 1.0, codec)
            # One of several tiles is not the picture.
            same = sorted(picture.view.size) == sorted(image.size)
            return picture.small_rgb(max(image.size)) if same else None
    except (av.FFmpegError, Refused, StopIteration):
        return None


def _told_by_header(file: BinaryIO) -> Transfer:
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    at = head.find(_NCLX)
    numbers = head[at + len(_NCLX) :] if at >= 0 else b""
    return _meant(int.from_bytes(numbers[2:4], "big"), int.from_bytes(numbers[:2], "big"))[0]


def in_srgb(image: Image.Image) -> Image.Image:
    """By the colour profile in the file; where none can be used, its colours are a screen's."""
    carried = image.info.get("icc_profile")
    if not carried:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(carried))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return image
        plain = _of_colours(image)
        mode = "RGBA" if plain.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(plain, profile, _srgb(), outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _of_colours(image: Image.Image) -> Image.Image:
    """A palette's colours are those of the profile, its numbers are not."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
