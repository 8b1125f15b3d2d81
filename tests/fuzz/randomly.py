"""Mutations without knowledge, from fixed seeds."""

import random
from collections.abc import Callable
from typing import Final

from tests.fuzz.seeds import seeds

INTERESTING: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
MOST_EDITS = 24

Edit = Callable[[random.Random, bytearray], None]


def mutation(number: int) -> tuple[str, bytes]:
    """The same bytes for the same number."""
    dice, good = random.Random(number), seeds()
    kind = sorted(good)[number % len(good)]
    data = bytearray(good[kind])
    for _ in range(1 << dice.randrange(MOST_EDITS.bit_length())):
        dice.choice(_EDITS)(dice, data)
    return kind, bytes(data)


def _flip(dice: random.Random, data: bytearray) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _number(dice: random.Random, data: bytearray) -> None:
    """Early bytes are headers; half of all edits go there."""
    width, value = dice.choice((1, 2, 4, 8)), dice.choice(INTERESTING)
    at = dice.randrange(max(1, min(len(data), dice.choice((256, len(data) or 1)))))
    data[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(
        width, dice.choice(("big", "little"))
    )


def _remove(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.randrange(64)]


def _repeat(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randrange(256)] * dice.randrange(1, 5)


def _cut(dice: random.Random, data: bytearray) -> None:
    del data[len(data) - dice.randrange(1 + len(data) // 8) :]


def _splice(dice: random.Random, data: bytearray) -> None:
    other = seeds()[dice.choice(sorted(seeds()))]
    start, at = dice.randrange(len(other)), dice.randrange(len(data) + 1)
    data[at : at + dice.randrange(64)] = other[start : start + dice.randrange(256)]


_EDITS: tuple[Edit, ...] = (_flip, _flip, _number, _number, _remove, _repeat, _cut, _splice)
