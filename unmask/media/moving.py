"""How long an animated WebP or PNG lasts: each of its frames says so before its pixels.

Pillow would have to decode them all to tell.
"""

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from unmask.media.budget import Budget

#: Browsers show a frame that names no time for so long.
USUAL_MS = 100
_RIFF_START, _PNG_START = 12, 8
#: Of a second, where an APNG names none.
_USUAL_PARTS = 100
#: Of a chunk, at most so much is read: enough for what is looked for.
_HEAD = 32

#: A chunk's name and how its data begins.
Chunk = tuple[bytes, bytes]


def moves(file: BinaryIO, kind: str, budget: Budget) -> tuple[float, float] | None:
    """Its length in seconds and its frames a second; what was cut off counts for nothing."""
    if kind not in _KINDS:
        return None
    chunks, step = _KINDS[kind]
    place, times = file.tell(), list[float]()
    for name, data in chunks(file):
        budget.check()
        times += filter(None, [step(name, data)])
    file.seek(place)
    length = sum(times) / 1000
    return (length, len(times) / length) if times else None


def _riff(file: BinaryIO) -> Iterator[Chunk]:
    """Name, length, data; filled up to an even place."""
    place, end = _RIFF_START, file.seek(0, os.SEEK_END)
    while place + 8 <= end:
        file.seek(place)
        head = file.read(8)
        size = int.from_bytes(head[4:], "little")
        yield head[:4], file.read(min(size, _HEAD))
        place += 8 + size + size % 2


def _png(file: BinaryIO) -> Iterator[Chunk]:
    """Length, name, data and a sum of four bytes."""
    place, end = _PNG_START, file.seek(0, os.SEEK_END)
    while place + 12 <= end:
        file.seek(place)
        head = file.read(8)
        size = int.from_bytes(head[:4], "big")
        yield head[4:], file.read(min(size, _HEAD))
        place += 12 + size


def _webp_ms(name: bytes, data: bytes) -> float:
    return (int.from_bytes(data[12:15], "little") or USUAL_MS) if name == b"ANMF" else 0.0


def _apng_ms(name: bytes, data: bytes) -> float:
    if name != b"fcTL":
        return 0.0
    share, of = (int.from_bytes(data[at : at + 2], "big") for at in (20, 22))
    return 1000 * share / (of or _USUAL_PARTS) or USUAL_MS


_KINDS: dict[str, tuple[Callable[[BinaryIO], Iterator[Chunk]], Callable[[bytes, bytes], float]]] = {
    "webp": (_riff, _webp_ms),
    "png": (_png, _apng_ms),
}
