"""What the network itself says, before any softmax or calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Logit of fake minus logit of real, for a window and for each of its frames."""

    window: float
    frames: tuple[float, ...]


def weighed(shares: Sequence[float], said: Sequence[Margins]) -> Margins:
    """What several networks say of one window, each by how much its word counts."""
    frames = np.array(shares) @ np.array([each.frames for each in said])
    window = sum(share * each.window for share, each in zip(shares, said, strict=True))
    return Margins(window=window, frames=tuple(frames.tolist()))


def mean_of(several: Sequence[Margins], gain: float) -> Margins:
    """Of windows of one length, and so many times as sure."""
    frames = gain * np.mean([one.frames for one in several], axis=0)
    window = gain * np.mean([one.window for one in several])
    return Margins(window=float(window), frames=tuple(frames.tolist()))
