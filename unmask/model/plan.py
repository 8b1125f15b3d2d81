"""Which frames go through the trunk together, and which windows through the LSTM. Pure.

How many of them is a matter of memory (`fitting`); which of them, of what follows.

The trunk sees frames without regard to windows, in chunks of one size, so it never pads:

    windows  ▇▇▇▇▇▇ ▇▇ ▇▇▇▇▇          lengths 6, 2, 5
    chunks   [▇▇▇▇][▇▇ ▇▇][▇▇▇▇][▇]   at most 4 frames each

The LSTM takes windows of like length together, longest first, and pads the shorter ones
behind their last frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Of the memory that is free. The rest is for what is measured by nobody: the workspace of
#: convolutions, the next chunk on its way, and gaps between allocations.
SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Group:
    """Windows (by index) that go through the LSTM as one batch."""

    windows: tuple[int, ...]
    length: int


def fitting(most: int, *, each: int, free: int | None) -> int:
    """So many that need `each` bytes as have room, between one and `most`.

    `free` is None where memory is not what decides.

    >>> fitting(1024, each=4 << 20, free=1 << 30), fitting(1024, each=4 << 20, free=80 << 30)
    (128, 1024)
    """
    if free is None:
        return most
    return max(1, min(most, int(SHARE * free) // each))


def chunks(frames: int, most: int) -> list[range]:
    """Frames 0…frames in runs of at most `most`."""
    return [range(start, min(start + most, frames)) for start in range(0, frames, most)]


def groups(lengths: Sequence[int], *, most: int, padding: float = 0.1) -> list[Group]:
    """At most `most` steps (windows × longest) in a group, at most that share of them padding."""
    order = sorted(range(len(lengths)), key=lambda window: (-lengths[window], window))
    planned: list[list[int]] = []
    for window in order:
        if planned and _fits([*planned[-1], window], lengths, most, padding):
            planned[-1].append(window)
        else:
            planned.append([window])
    return [Group(windows=tuple(group), length=lengths[group[0]]) for group in planned]


def padding_share(planned: Sequence[Group], lengths: Sequence[int]) -> float:
    """How much of the LSTM's work is on padding."""
    steps = sum(len(group.windows) * group.length for group in planned)
    return 1 - sum(lengths) / steps if steps else 0.0


def _fits(group: list[int], lengths: Sequence[int], most: int, padding: float) -> bool:
    steps = len(group) * lengths[group[0]]
    real = sum(lengths[window] for window in group)
    return steps <= most and steps - real <= padding * steps
