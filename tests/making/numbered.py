"""Pictures that show their own number, so that a test can tell one from another."""

import numpy as np

from bench.made.faces import Rgb
from bench.made.film import backdrop
from unmask.media.picture import Picture

_BITS = 8
#: As large as what a codec changes at once, so that no digit reaches into the next.
_BLOCK = 16
_BARS, _WIDTH, _HEIGHT = 32, _BITS * _BLOCK, 96
_DARK, _LIGHT = 30, 220


def numbered(number: int) -> Rgb:
    """A number below 256 as bars that are light or dark, over what is new in each picture."""
    picture = backdrop(_WIDTH, _HEIGHT, seed=number)
    bits = np.array([number >> bit & 1 for bit in range(_BITS)])
    picture[:_BARS] = np.repeat(np.where(bits, _LIGHT, _DARK), _BLOCK)[None, :, None]
    return picture


def number(picture: Picture) -> int:
    """What it shows, however badly it was coded."""
    bars = picture.small_grey(_WIDTH)[_BARS // 2].reshape(_BITS, _BLOCK).mean(axis=1)
    return sum(1 << bit for bit in range(_BITS) if bars[bit] > (_DARK + _LIGHT) / 2)
