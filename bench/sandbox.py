"""What the room costs a file: the same files looked at in it and without it."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO

import av
import numpy as np

from bench.timing import alternating, quiet
from infra.sandbox import Room
from unmask import media
from unmask.errors import Refused
from unmask.media.values import Limits
from unmask.spec import ScanSpec

RUNS = 60
SPEC, LIMITS = ScanSpec(frames=10, windows=1), Limits(deadline_s=60)
#: Asked for: at most this much more than the same work without a room.
ASKED_MS = 30.0


def main() -> None:
    print(f"what the room costs a file, median of {RUNS} runs; {quiet()}")
    media.warm(("centerface",))
    with Room() as room, _files() as files:
        cases = {}
        for name, file in files.items():
            cases[f"{name}, in the room"] = _look(file, room)
            cases[f"{name}, without"] = _look(file, None)
        taken = alternating(cases, RUNS)
        for name in files:
            inside, outside = taken[f"{name}, in the room"], taken[f"{name}, without"]
            cost = (inside - outside) * 1000
            verdict = "" if cost <= ASKED_MS else f"  MORE than the {ASKED_MS:g} ms asked for"
            print(
                f"  {name:24} {inside * 1000:6.1f} ms in it, {outside * 1000:6.1f} ms without:"
                f" costs {cost:5.1f} ms{verdict}"
            )


def _look(file: IO[bytes], room: Room | None) -> Callable[[], object]:
    def look() -> None:
        file.seek(0)
        try:
            pieces = room.extract(file, SPEC, LIMITS) if room else _without(file)
            list(pieces)
        except Refused:
            return

    return look


def _without(file: IO[bytes]) -> Iterator[object]:
    return media.extract(io.BytesIO(file.read()), SPEC, LIMITS)


@contextmanager
def _files() -> Iterator[dict[str, IO[bytes]]]:
    with (
        tempfile.TemporaryFile() as text,
        tempfile.TemporaryFile() as small,
        tempfile.TemporaryFile() as large,
    ):
        text.write(b"this is no video\n" * 100)
        _write_video(small, 160, 120)
        _write_video(large, 1280, 720)
        for file in (text, small, large):
            file.flush()
        yield {"no media": text, "10 frames of 160x120": small, "10 frames of 1280x720": large}


def _write_video(file: IO[bytes], width: int, height: int) -> None:
    ramp = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None].repeat(height, 0).repeat(3, 2)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.roll(ramp, number * 8, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
