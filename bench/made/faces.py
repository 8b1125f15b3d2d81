"""Two faces of public-domain pictures, with boxes drawn by hand."""

from functools import cache
from typing import Any

import cv2
import numpy as np
from matplotlib import cbook
from numpy.typing import NDArray
from skimage import data

from unmask.media.values import Box

Rgb = NDArray[np.uint8]
_data: Any = data

#: From the hairline to the chin, cheek to cheek, in pixels of the whole picture.
ASTRONAUT_FACE = Box(x=182, y=62, width=87, height=114)
ADMIRAL_FACE = Box(x=176, y=134, width=180, height=204)


@cache
def astronaut() -> Rgb:
    """Eileen Collins, NASA, as scikit-image carries her."""
    return np.asarray(_data.astronaut(), dtype=np.uint8)


@cache
def admiral() -> Rgb:
    """Grace Hopper, U.S. Navy, as matplotlib carries her."""
    path: Any = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def head(picture: Rgb, face: Box, room: float = 0.6) -> tuple[Rgb, Box]:
    """The face with some room around it, and where the face is in that cut."""
    left, top = int(face.x - room * face.width), int(face.y - room * face.height)
    left, top = max(0, left), max(0, top)
    right, bottom = int(face.x + face.width * (1 + room)), int(face.y + face.height * (1 + room))
    inside = Box(x=face.x - left, y=face.y - top, width=face.width, height=face.height)
    return np.ascontiguousarray(picture[top:bottom, left:right]), inside
