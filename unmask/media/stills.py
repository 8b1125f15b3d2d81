"""Pictures and animated WebP through Pillow: a picture is a video of one frame."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.geometry import View
from unmask.media.picture import Picture
from unmask.media.values import MediaInfo
from unmask.outcomes import Outcome

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "HEIF", "GIF")

pillow_heif.register_heif_opener()
# The limit of the caller holds, not Pillow's own, which only warns.
Image.MAX_IMAGE_PIXELS = None


class Still:
    """An opened picture file, or an animation of pictures."""

    def __init__(self, image: Image.Image, budget: Budget) -> None:
        budget.check_size(*image.size)
        self._image = image
        self._budget = budget
        self.frames_decoded = 0
        self.broken_packets = 0
        self.last_error = ""
        self._first = self._picture(0.0)
        width, height = self._first.view.size
        name = (image.format or "picture").lower()
        self.info = MediaInfo(
            kind="picture", container=name, codec=name, width=width, height=height
        )

    def near(self, start_s: float, slack_s: float) -> float:
        return start_s

    def pictures(self, start_s: float) -> Iterator[Picture]:
        if start_s <= 0:
            yield self._first

    def _picture(self, time_s: float) -> Picture:
        try:
            upright = ImageOps.exif_transpose(self._image).convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise Refused(Outcome.UNDECODABLE, f"the picture can't be decoded: {error}") from error
        self.frames_decoded += 1
        pixels = np.asarray(upright)
        view = View(coded_width=upright.width, coded_height=upright.height)
        return Picture(time_s=time_s, view=view, planes=(pixels,))


def open_image(file: BinaryIO) -> Image.Image | None:
    """The picture, or None where Pillow knows no such format."""
    try:
        return Image.open(file, formats=FORMATS)
    except (OSError, ValueError, SyntaxError):
        return None
