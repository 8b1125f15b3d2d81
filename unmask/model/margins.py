"""What the network itself says, before any softmax or calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Logit of fake minus logit of real, for a window and for each of its frames."""

    window: float
    frames: tuple[float, ...]


def weighed(one: Margins, other: Margins, share: float) -> Margins:
    """What two networks say of one window; the other's word counts `share`."""
    frames = zip(one.frames, other.frames, strict=True)
    return Margins(
        window=(1 - share) * one.window + share * other.window,
        frames=tuple((1 - share) * own + share * its for own, its in frames),
    )


def mean_of(several: Sequence[Margins], gain: float) -> Margins:
    """Of windows of one length, and so many times as sure."""
    frames = gain * np.mean([one.frames for one in several], axis=0)
    window = gain * np.mean([one.window for one in several])
    return Margins(window=float(window), frames=tuple(frames.tolist()))
