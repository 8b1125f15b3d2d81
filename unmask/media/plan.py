"""Which moments to look at: a pure function of the duration and the scan spec.

    duration 10 s, 3 windows of 1 s:   |  ▓▓     ▓▓     ▓▓  |

Windows lie in the middle of equal shares of the file, so that a one-hour video costs little more
than a one-minute one.
"""

from dataclasses import dataclass
from typing import Literal

from unmask.spec import ScanSpec

#: Seconds between the frames of a window where the spec takes every frame (25 frames/s).
USUAL_SPACING_S = 0.04


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of consecutive picks."""

    index: int
    start_s: float
    #: So much earlier or later it may begin, where that spares decoding.
    slack_s: float = 0.0
    #: How many frames are taken at most; None counts frames with a face instead (`first`).
    picks: int | None
    #: Seconds between two picks; None takes each frame.
    spacing_s: float | None = None
    #: Every k-th frame.
    stride: int = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    windows: tuple[Window, ...]
    #: Stop after so many frames with a face; None where the windows alone bound the work.
    face_frames: int | None = None
    moments: Literal["windows", "first", "stride"] = "windows"


def plan(duration_s: float | None, spec: ScanSpec, frame_rate: float | None = None) -> Plan:
    if spec.moments != "windows":
        first = Window(index=0, start_s=0.0, picks=None, stride=spec.stride)
        return Plan(windows=(first,), face_frames=spec.frames, moments=spec.moments)
    starts, slack = window_starts(duration_s, spec, frame_rate)
    return Plan(
        windows=tuple(
            Window(
                index=index,
                start_s=start,
                slack_s=slack,
                picks=spec.frames,
                spacing_s=spec.spacing_s,
            )
            for index, start in enumerate(starts)
        )
    )


def window_starts(
    duration_s: float | None, spec: ScanSpec, frame_rate: float | None = None
) -> tuple[list[float], float]:
    """Where each window begins, and how far it may move without meeting its neighbour.

    A short file has fewer windows, and always at least one. Where nobody knows how long it is,
    they follow one another from the beginning.
    """
    length = window_length(spec, frame_rate)
    if not duration_s:
        return [index * length for index in range(spec.windows)], 0.0
    if duration_s <= length:
        return [0.0], 0.0
    count = min(spec.windows, int(duration_s / length))
    share = duration_s / count
    slack = (share - length) / 2
    return [index * share + slack for index in range(count)], slack


def window_length(spec: ScanSpec, frame_rate: float | None) -> float:
    """A video with fewer frames a second than the spec asks for gives each one it has."""
    slowest = 1 / frame_rate if frame_rate else 0.0
    return spec.frames * max(spec.spacing_s or USUAL_SPACING_S, slowest)
