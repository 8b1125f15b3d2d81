"""Small good files of every format, made from the samples."""

import io
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FRAMES = 8
WIDTH, HEIGHT = 160, 120

#: Container, codec, pixels.
_VIDEOS = {"mp4": ("libx264", "yuv420p"), "mkv": ("libvpx", "yuv420p"), "avi": ("mpeg4", "yuv420p")}


@cache
def seeds() -> dict[str, bytes]:
    pictures = _pictures()
    made = {name: _video(name, *how, pictures) for name, how in _VIDEOS.items()}
    made["gif"] = _animation("GIF", pictures)
    made["webp"] = _animation("WEBP", pictures)
    made["png"] = _animation("PNG", pictures)
    made["jpg"] = cv2.imencode(".jpg", pictures[0])[1].tobytes()
    return made


def _pictures() -> list[np.ndarray]:
    with av.open(str(SAMPLES / "talking-head.mp4")) as container:
        frames = [
            one.to_ndarray(format="bgr24") for one in islice(container.decode(video=0), FRAMES)
        ]
    return [cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for one in frames]


def _video(name: str, codec: str, pixels: str, pictures: list[np.ndarray]) -> bytes:
    out = io.BytesIO()
    form = "matroska" if name == "mkv" else name
    with av.open(out, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        stream.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return out.getvalue()


def _animation(form: str, pictures: list[np.ndarray]) -> bytes:
    first, *rest = [Image.fromarray(one[..., ::-1]) for one in pictures]
    out = io.BytesIO()
    first.save(out, format=form, save_all=True, append_images=rest, duration=100)
    return out.getvalue()
