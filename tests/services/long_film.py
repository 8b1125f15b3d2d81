"""Films of five minutes, made in a second: ten seconds of somebody, thirty times over."""

import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.made.film import one_face

RATE, SECONDS, TIMES = 10, 10, 30
SIZE = (320, 240)
FRAMES = RATE * SECONDS

#: Container, codec and the muxer's options.
FORMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp4, index at the end": ("mp4", "mpeg4", {}),
    "mp4, index in front": ("mp4", "mpeg4", {"movflags": "faststart"}),
    "mp4 in fragments": ("mp4", "mpeg4", {"movflags": "frag_keyframe+empty_moov"}),
    "mkv": ("matroska", "mpeg4", {}),
    "webm": ("webm", "libvpx", {}),
    "avi": ("avi", "mpeg4", {}),
    "ts": ("mpegts", "mpeg2video", {}),
}


@cache
def long_film(form: str) -> bytes:
    container, codec, options = FORMS[form]
    with (
        tempfile.NamedTemporaryFile() as out,
        av.open(out.name, "w", format=container, options=options) as film,
    ):
        stream: Any = film.add_stream(codec, rate=Fraction(25 if container == "mpegts" else RATE))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.bit_rate, stream.gop_size, stream.thread_count = 600_000, RATE, 1
        if codec == "libvpx":
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        packets = [packet for frame in _frames() for packet in stream.encode(frame)]
        packets += stream.encode(None)
        for turn in range(TIMES):
            for packet in packets:
                film.mux(_again(packet, turn * len(packets), stream))
        film.close()
        return Path(out.name).read_bytes()


def _frames() -> list[av.VideoFrame]:
    scene = one_face(FRAMES, lambda index: (160 + index % 20, 120), side=lambda _: 80.0, size=SIZE)
    noise = np.random.default_rng(7)
    return [
        av.VideoFrame.from_ndarray(
            np.clip(picture + noise.normal(0, 5, picture.shape), 0, 255).astype(np.uint8),
            format="rgb24",
        )
        for picture in scene.pictures
    ]


def _again(packet: Any, later: int, stream: Any) -> Any:
    copy = av.Packet(bytes(packet))
    copy.stream, copy.time_base = stream, packet.time_base
    ticks = round(later / stream.codec_context.framerate / packet.time_base)
    copy.pts, copy.dts = packet.pts + ticks, packet.dts + ticks
    copy.is_keyframe, copy.duration = packet.is_keyframe, packet.duration
    return copy
