"""Films for the media bench: a public-domain face that moves before a panning camera.

Grain and detail bring the films to the rates of FaceForensics++ c23 (x264, crf 23: about 0.5
Mbit/s at 480p and 1.2 at 720p), so that the decoder is as busy as real films keep it.
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Pixels = NDArray[np.uint8]
Size = tuple[int, int]

SIZES: dict[str, Size] = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
RATE = 30
#: The face takes about this share of the picture's height.
_FACE_SHARE = 0.28
_HEAD = (slice(0, 260), slice(120, 340))
_FACE_HEIGHT = 114
#: The middle of the face in the head's picture, across and down.
_FACE_MIDDLE = (105, 118)
#: The backdrop is so much larger than the picture; the camera pans over it.
_ROOM = 1.125
#: Strength of the coarsest detail, and of each finer one next to the one before.
_DETAIL, _FINER = 40.0, 0.6
_GRAIN = 6.0
_GRAINS = 8


def write_film(path: Path, size: Size, frames: int, gop: int) -> None:
    with av.open(str(path), "w") as output:
        options = {"preset": "veryfast", "crf": "23", "g": str(gop), "keyint_min": str(gop)}
        stream: Any = output.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for picture in _pictures(size, frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))


def face_middle(size: Size, index: int) -> tuple[float, float]:
    """Where the face is in that frame: the truth to be found."""
    scale = _scale(size)
    left, top = _corner(size, index)
    return left + _FACE_MIDDLE[0] * scale, top + _FACE_MIDDLE[1] * scale


def megabits_per_second(film: Path, frames: int) -> float:
    return film.stat().st_size * 8 / (frames / RATE) / 1e6


def _pictures(size: Size, frames: int) -> Iterator[Pixels]:
    width, height = size
    chance = np.random.default_rng(0)
    head, back = _head(size), _backdrop(size, chance)
    grains = [chance.normal(0, _GRAIN, (height, width, 3)).astype(np.int16) for _ in range(_GRAINS)]
    for index in range(frames):
        across = int((back.shape[1] - width) * (0.5 + 0.5 * np.sin(index / 90)))
        down = int((back.shape[0] - height) * (0.5 + 0.5 * np.sin(index / 70)))
        canvas = back[down : down + height, across : across + width].astype(np.int16)
        left, top = _corner(size, index)
        canvas[top : top + head.shape[0], left : left + head.shape[1]] = head
        yield np.asarray((canvas + grains[index % _GRAINS]).clip(0, 255), dtype=np.uint8)


def _scale(size: Size) -> float:
    return size[1] * _FACE_SHARE / _FACE_HEIGHT


@cache
def _head(size: Size) -> Pixels:
    pictures: Any = data
    scale = _scale(size)
    head = cv2.resize(pictures.astronaut()[_HEAD], None, fx=scale, fy=scale)
    return np.asarray(head, dtype=np.uint8)


def _corner(size: Size, index: int) -> tuple[int, int]:
    height, width = _head(size).shape[:2]
    left = (size[0] - width) * (0.5 + 0.4 * np.sin(index / 60))
    return int(left), int((size[1] - height) * (0.5 + 0.3 * np.sin(index / 45)))


def _backdrop(size: Size, chance: np.random.Generator) -> Pixels:
    """Detail of every fineness, as in a real scene."""
    width, height = (int(side * _ROOM) for side in size)
    back = np.full((height, width, 3), 120, np.float32)
    cells, strength = 8, _DETAIL
    while cells < width // 2:
        few = chance.uniform(-strength, strength, (max(2, cells * height // width), cells, 3))
        back += cv2.resize(few.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        cells, strength = cells * 2, strength * _FINER
    return np.asarray(back.clip(0, 255), dtype=np.uint8)


def repeat_film(source: Path, target: Path, frames: int) -> None:
    """A long film without coding it: the packets of a short one, again and again."""
    content = source.read_bytes()
    with av.open(str(target), "w") as output:
        stream: Any = None
        done, shift = 0, 0
        while done < frames:
            with av.open(io.BytesIO(content)) as film:
                video = film.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                count = min(video.frames, frames - done)
                _copy(film, video, output, stream, (shift, count))
                done, shift = done + count, shift + _ticks(video)


def _copy(film: Any, video: Any, output: Any, stream: Any, part: tuple[int, int]) -> None:
    """The first packets of the film, later by a shift."""
    shift, count = part
    packets = (packet for packet in film.demux(video) if packet.dts is not None)
    for packet, _ in zip(packets, range(count), strict=False):
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        packet.stream = stream
        output.mux(packet)


def _ticks(video: Any) -> int:
    return int(video.frames * Fraction(1, RATE) / video.time_base)
