"""Films for the media bench: a public-domain face that moves over a soft backdrop."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
RATE = 30
#: The face takes about this share of the picture's height.
_FACE_SHARE = 0.28
_HEAD = (slice(0, 260), slice(120, 340))
_FACE_HEIGHT = 114


def write_film(path: Path, size: tuple[int, int], frames: int, gop: int) -> None:
    with av.open(str(path), "w") as output:
        options = {"preset": "veryfast", "crf": "23", "g": str(gop), "keyint_min": str(gop)}
        stream: Any = output.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for picture in _pictures(size, frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))


def _pictures(size: tuple[int, int], frames: int) -> Iterator[NDArray[np.uint8]]:
    """Camera noise keeps the decoder as busy as a real film does."""
    width, height = size
    chance = np.random.default_rng(0)
    scale = height * _FACE_SHARE / _FACE_HEIGHT
    picture: Any = data
    head = cv2.resize(picture.astronaut()[_HEAD], None, fx=scale, fy=scale)
    few = chance.integers(60, 180, (6, 8, 3), dtype=np.uint8)
    back = cv2.resize(few, size, interpolation=cv2.INTER_CUBIC)
    noise = [chance.integers(0, 9, (height, width, 3), dtype=np.uint8) for _ in range(8)]
    for index in range(frames):
        canvas = cv2.add(back, noise[index % len(noise)])
        left = int((width - head.shape[1]) * (0.5 + 0.4 * np.sin(index / 60)))
        top = int((height - head.shape[0]) * (0.5 + 0.3 * np.sin(index / 45)))
        canvas[top : top + head.shape[0], left : left + head.shape[1]] = head
        yield np.asarray(canvas, dtype=np.uint8)


def repeat_film(source: Path, target: Path, times: int) -> None:
    """A long film without coding it: the packets of a short one, again and again."""
    content = source.read_bytes()
    with av.open(str(target), "w") as output:
        stream: Any = None
        shift = 0
        for _ in range(times):
            with av.open(io.BytesIO(content)) as film:
                video = film.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                shift += _copy(film, video, output, stream, shift)


def _copy(film: Any, video: Any, output: Any, stream: Any, shift: int) -> int:
    """Copies one round of packets; tells how long it was, in ticks."""
    for packet in film.demux(video):
        if packet.dts is None:
            continue
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        packet.stream = stream
        output.mux(packet)
    length = video.frames * Fraction(1, RATE) / video.time_base
    return int(length)
