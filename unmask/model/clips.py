"""What goes into the classifier: somebody's windows of face frames, as arrays."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import UnmaskError

Frames = NDArray[np.uint8]


class BadClip(UnmaskError):
    """Face frames that can't be scored; the message says whose and why."""


class Window(NamedTuple):
    """Consecutive face frames of one person: RGB, (T, S, S, 3), and when each was."""

    number: int
    times: tuple[float, ...]
    frames: Frames
    #: Of its middle frame by sharpness; None where nobody measured.
    sharpness: float | None = None


@dataclass(frozen=True, kw_only=True)
class PersonFrames:
    """All windows of somebody in a file."""

    person: int
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        for number, times, frames, _ in self.windows:
            where = f"person {self.person + 1}, window {number + 1}"
            if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
                raise BadClip(
                    f"{where}: frames are {frames.dtype} {frames.shape}, not (T, S, S, 3)"
                )
            if len(frames) == 0:
                raise BadClip(f"{where}: no frames")
            if len(frames) != len(times):
                raise BadClip(f"{where}: {len(frames)} frames but {len(times)} times")


def check_size(clips: PersonFrames, size: int) -> None:
    """A model scores only the size that it was trained on."""
    for number, _, frames, _ in clips.windows:
        if frames.shape[1:3] != (size, size):
            shape = f"{frames.shape[2]}x{frames.shape[1]}"
            raise BadClip(
                f"person {clips.person + 1}, window {number + 1}: frames are {shape}, "
                f"the model takes {size}x{size}"
            )
