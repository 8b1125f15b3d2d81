"""Videos of known truth, made on the spot."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from bench.made.faces import ASTRONAUT_FACE, Rgb, astronaut, head
from unmask.media.values import Box


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Pictures and, for each, where every face is: name → box."""

    pictures: list[Rgb] = field(default_factory=list)
    faces: list[dict[str, Box]] = field(default_factory=list)


def backdrop(width: int, height: int, seed: int = 0) -> Rgb:
    """Soft coloured noise: nothing in it looks like a face."""
    few = np.random.default_rng(seed).integers(60, 180, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def paste(canvas: Rgb, cut: Rgb, face: Box, side: float, middle: tuple[float, float]) -> Box:
    """Draws the head so that its face is `side` wide around `middle`; returns the face's box."""
    scale = side / face.width
    x, y = middle[0] - side / 2, middle[1] - face.height * scale / 2
    move = np.array([[scale, 0, x - face.x * scale], [0, scale, y - face.y * scale]])
    height, width = canvas.shape[:2]
    drawn = cv2.warpAffine(cut, move, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(_oval(cut), move, (width, height))[..., None] / 255
    canvas[:] = (drawn * mask + canvas * (1 - mask)).astype(np.uint8)
    return Box(x=x, y=y, width=side, height=face.height * scale)


def _oval(cut: Rgb) -> Any:
    """A soft-edged oval: a head has no corners."""
    height, width = cut.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        mask, (width // 2, height // 2), (width * 2 // 5, height * 2 // 5), 0, 0, 360, 255, -1
    )
    return cv2.GaussianBlur(mask, (0, 0), width / 40)


def one_face(
    count: int,
    path: Callable[[int], tuple[float, float]],
    side: Callable[[int], float] = lambda _: 90.0,
    size: tuple[int, int] = (640, 360),
) -> Scene:
    """The astronaut on a known path."""
    cut, face = head(astronaut(), ASTRONAUT_FACE)
    scene, back = Scene(), backdrop(*size)
    for index in range(count):
        canvas = back.copy()
        box = paste(canvas, cut, face, side(index), path(index))
        scene.pictures.append(canvas)
        scene.faces.append({"astronaut": box})
    return scene


def coded(
    pictures: Iterable[Rgb],
    *,
    rate: int | Fraction = 25,
    container: str = "mp4",
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    change: Callable[[Any], None] | None = None,
    muxer: dict[str, str] | None = None,
) -> bytes:
    """A file; `times` are time stamps in milliseconds where the rate varies."""
    with (
        tempfile.NamedTemporaryFile() as target,
        av.open(target.name, "w", format=container, options=muxer or {}) as output,
    ):
        output_stream: Any = None
        for index, picture in enumerate(pictures):
            if output_stream is None:
                output_stream = output.add_stream(
                    codec, rate=rate, options=_options(codec, options)
                )
                _shape(output_stream, picture, pixels, times)
                if change:
                    change(output_stream)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            output.mux(output_stream.encode(frame))
        output.mux(output_stream.encode(None))
        output.close()
        return Path(target.name).read_bytes()


def _options(codec: str, options: dict[str, str] | None) -> dict[str, str]:
    preset = {"preset": "ultrafast", "crf": "18"} if codec == "libx264" else {}
    return preset | (options or {})


def _shape(stream: Any, picture: Rgb, pixels: str, times: Sequence[int] | None) -> None:
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = pixels
    if times is not None:
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
