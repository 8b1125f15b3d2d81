"""QOI ("quite OK image") through FFmpeg: keeps every bit, and is read about as fast as a JPEG."""

from fractions import Fraction
from threading import local
from typing import Any

import av
import numpy as np

from unmask.media.colour import Rgb
from unmask.media.sides import QOI as MAGIC

__all__ = ["MAGIC", "read", "write"]

#: Width and height stand behind the magic word, four bytes each.
_HEADER_BYTES = 14
#: Without it FFmpeg would show what is missing as black.
_END = bytes(7) + b"\x01"
#: Larger than any face clip's side; a header that says more is none of ours.
_LONGEST_SIDE = 4096

#: Opening a coder costs more than a picture does.
_kept = local()


def write(picture: Rgb) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return b"".join(bytes(packet) for packet in _coder(*picture.shape[:2]).encode(frame))


def read(data: bytes | memoryview) -> Rgb | None:
    """The picture, or None where the bytes are none."""
    if not _is_plausible(data):
        return None
    try:
        frames = _decoder().decode(av.Packet(bytes(data)))
    except av.FFmpegError:
        return None
    return frames[0].to_ndarray(format="rgb24") if frames else None


def _is_plausible(data: bytes | memoryview) -> bool:
    if len(data) < _HEADER_BYTES or bytes(data[-len(_END) :]) != _END:
        return False
    sides = (int.from_bytes(data[at : at + 4], "big") for at in (4, 8))
    return all(0 < side <= _LONGEST_SIDE for side in sides)


def _coder(height: int, width: int) -> Any:
    coders: dict[tuple[int, int], Any] = _kept.__dict__.setdefault("coders", {})
    if (height, width) not in coders:
        coder: Any = av.CodecContext.create("qoi", "w")
        coder.height, coder.width, coder.pix_fmt = height, width, "rgb24"
        coder.time_base, coder.thread_count = Fraction(1, 30), 1
        coders[height, width] = coder
    return coders[height, width]


def _decoder() -> Any:
    if not hasattr(_kept, "decoder"):
        _kept.decoder = av.CodecContext.create("qoi", "r")
        _kept.decoder.thread_count = 1
    return _kept.decoder
