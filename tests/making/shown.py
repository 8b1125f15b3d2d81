"""What the media core makes of a file's pictures, before any face is looked for."""

import io
from typing import Any

import numpy as np

from bench.made.faces import Rgb
from unmask.media.budget import Budget
from unmask.media.picture import Picture
from unmask.media.source import opened
from unmask.media.values import Limits

#: Larger than any picture of the tests: nothing is made smaller.
WHOLE = 4096


def pictures(data: bytes) -> list[Picture]:
    """Every picture; each keeps its own samples."""
    with opened(io.BytesIO(data), Budget(Limits())) as source:
        return list(source.pictures(0.0))


def wholes(data: bytes) -> list[Rgb]:
    return [picture.small_rgb(WHOLE) for picture in pictures(data)]


def apart(one: Any, other: Any) -> float:
    """Mean difference, of 255."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other.astype(float)).mean())
