"""The sandbox: are its locks in force, and does a good file pass through it?"""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import IO, TYPE_CHECKING

from infra.resources import limits
from infra.sandbox import Room, in_force
from producer.doctor.finding import Finding, bad, well
from unmask.errors import UnmaskError
from unmask.media.values import Manifest
from unmask.spec import ScanSpec

if TYPE_CHECKING:
    from settings import Settings

FRAMES = 10
WIDTH, HEIGHT = 160, 120
RATE = 10


def check(settings: "Settings") -> Iterator[Finding]:
    yield _locks()
    yield _good_file(settings)


def _locks() -> Finding:
    locks = in_force()
    open_ones = sorted(what for what, holds in locks.items() if not holds)
    if not open_ones:
        return well("sandbox", f"in force: {', '.join(locks)}")
    return bad(
        "sandbox",
        f"not in force: {', '.join(open_ones)}",
        "use Linux 5.13 or newer with Landlock, and let containers use seccomp",
    )


def _good_file(settings: "Settings") -> Finding:
    what = "decoding"
    try:
        with Room() as room, tempfile.TemporaryFile() as file:
            _write_video(file)
            pieces = list(room.extract(file, ScanSpec(), limits(settings)))
    except UnmaskError as error:
        return bad(what, f"a good video is refused: {error}", "look at the time and size limits")
    if not any(isinstance(one, Manifest) and one.frames_decoded for one in pieces):
        return bad(what, "a good video comes out empty", "report it as a fault of this program")
    return well(what, f"a video went through the sandbox in {room.cpu_seconds:.2f} CPU s")


def _write_video(file: IO[bytes]) -> None:
    """A grey ramp that moves; no face in it."""
    import av
    import numpy as np

    ramp = np.linspace(0, 255, WIDTH, dtype=np.uint8)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(ramp, number * 8, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    file.flush()
