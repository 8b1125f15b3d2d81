"""One face picture to bytes and back."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.errors import Unusable
from unmask.media.colour import Rgb

_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    90,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]

_WRITERS: dict[str, Callable[[NDArray[Any]], tuple[bool, NDArray[np.uint8]]]] = {
    "jpeg444-q90": lambda bgr: cv2.imencode(".jpg", bgr, _JPEG),
    "png": lambda bgr: cv2.imencode(".png", bgr, _PNG),
}


def encode(picture: Rgb, coding: str) -> bytes:
    done, coded = _WRITERS[coding](cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise Unusable(f"OpenCV could not write a picture as {coding}")
    return coded.tobytes()


def decode(data: bytes | memoryview) -> Rgb | None:
    """The picture, or None where the bytes are none."""
    if not len(data):
        return None
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return None if bgr is None else np.asarray(bgr, dtype=np.uint8)


def sharpness(picture: Rgb) -> float:
    """Variance of the Laplacian of grey: the higher, the sharper."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return round(float(deviation.item()) ** 2, 2)
