"""One face picture to bytes and back."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from unmask.errors import Unusable
from unmask.media import qoi
from unmask.media.colour import Rgb

_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    90,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]
#: Read twice as fast as a PNG that is made small.
_PNG = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE),
]
#: The quantiser that OpenCV's `MJPG` writer lets FFmpeg settle on for the papers' clips.
_MJPG_QUANTISER = "3"


def encode(picture: Rgb, coding: str) -> bytes:
    return _WRITERS[coding](picture)


def _by_opencv(kind: str, options: list[int]) -> Callable[[Rgb], bytes]:
    def write(picture: Rgb) -> bytes:
        done, coded = cv2.imencode(kind, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
        if not done:
            raise Unusable(f"OpenCV could not write a picture as {kind}")
        return coded.tobytes()

    return write


def _mjpg(picture: Rgb) -> bytes:
    """The papers' coding: 4:2:0, and coarser than a JPEG usually is."""
    coder: Any = av.CodecContext.create("mjpeg", "w")
    coder.height, coder.width = picture.shape[:2]
    coder.pix_fmt, coder.time_base = "yuvj420p", Fraction(1, 30)
    coder.options = {"qmin": _MJPG_QUANTISER, "qmax": _MJPG_QUANTISER}
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    packets = [*coder.encode(frame), *coder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


_WRITERS: dict[str, Callable[[Rgb], bytes]] = {
    "jpeg444-q90": _by_opencv(".jpg", _JPEG),
    "png": _by_opencv(".png", _PNG),
    "qoi": qoi.write,
    "mjpg": _mjpg,
}


def decode(data: bytes | memoryview) -> Rgb | None:
    """The picture, or None where the bytes are none."""
    if not len(data):
        return None
    if data[: len(qoi.MAGIC)] == qoi.MAGIC:
        return qoi.read(data)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # larger than OpenCV decodes at all
        return None
    return None if bgr is None else np.asarray(bgr, dtype=np.uint8)


def sharpness(picture: Rgb) -> float:
    """Variance of the Laplacian of grey: the higher, the sharper."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return round(float(deviation.item()) ** 2, 2)
