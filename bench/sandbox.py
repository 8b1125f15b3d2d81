"""What the room costs a file: the same files looked at in it and without it."""

import io
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import IO

import av
import numpy as np

from bench.timing import each_run, median_and_its_range, quiet
from infra.sandbox import Room
from unmask import media
from unmask.errors import Refused
from unmask.media.values import Limits
from unmask.spec import ScanSpec

RUNS = 40
SPEC, LIMITS = ScanSpec(frames=10, windows=1), Limits(deadline_s=60)
#: Asked for: at most this much more than the same work without a room.
ASKED_MS = 30.0


def main() -> None:
    print(f"what the room costs a file, median of {RUNS} pairs of runs; {quiet()}")
    media.warm(("centerface",))
    with Room() as room, _files() as files:
        for name, file in files.items():
            inside = _Case(file, room)
            wall = each_run({"in": inside.look, "out": _Case(file, None).look}, RUNS)
            # Each run beside the next one: the machine's pace changes by more than the room costs.
            pairs = zip(wall["in"], wall["out"], strict=True)
            cost, low, high = median_and_its_range([1000 * (a - b) for a, b in pairs])
            verdict = "" if cost <= ASKED_MS else f"; MORE than the {ASKED_MS:g} ms asked for"
            print(
                f"  {name:22} {1000 * statistics.median(wall['in']):6.1f} ms in it: "
                f"costs {cost:5.1f} ms ({low:.1f} to {high:.1f}{verdict})"
            )
            own, waiting = map(statistics.median, zip(*inside.cpu[1:], strict=True))
            print(
                f"{'':24} processor: {1000 * own:.1f} ms its own, {1000 * waiting:.1f} ms before it"
            )


class _Case:
    """One file, in the room or without one."""

    def __init__(self, file: IO[bytes], room: Room | None) -> None:
        self._file, self._room = file, room
        #: Processor seconds of each run in the room: for the file, and while its guest stood by.
        self.cpu = list[tuple[float, float]]()

    def look(self) -> None:
        self._file.seek(0)
        with suppress(Refused):
            list(self._pieces())
        if self._room:
            self.cpu.append((self._room.cpu_seconds, self._room.standby_cpu_seconds))

    def _pieces(self) -> Iterator[object]:
        if self._room:
            return self._room.extract(self._file, SPEC, LIMITS)
        return media.extract(io.BytesIO(self._file.read()), SPEC, LIMITS)


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
