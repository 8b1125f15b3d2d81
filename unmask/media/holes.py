"""A file of which only parts are here: what is missing is asked for, never taken for zeros.

████████░░░░░░░░░░░░░░░░░██     held: the beginning, and the index at the end
"""

import io
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: From its first byte to the one after its last.
Range = tuple[int, int]
#: Brings bytes at a place, and says which; does not return where they can't be had.
Ask = Callable[[int], Range]


class Holed(io.RawIOBase):
    """For one reader. It has no file number that a library could read past it."""

    def __init__(self, handle: int, held: Iterable[Range], ask: Ask) -> None:
        self._handle, self._held, self._ask = handle, merged(held), ask
        self._size = os.fstat(handle).st_size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"no place before the beginning: {start + offset}")
        self._place = start + offset
        return self._place

    def read(self, size: int | None = -1, /) -> bytes:
        """All that was asked for; less only at the end, as libraries expect of a file."""
        end = self._size if size is None or size < 0 else min(self._place + size, self._size)
        parts = bytearray()
        while self._place < end:
            parts += self._some(end)
        return bytes(parts)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _some(self, end: int) -> bytes:
        part = holding(self._held, self._place) or self._more()
        data = os.pread(self._handle, min(end, part[1]) - self._place, self._place)
        if not data:
            raise OSError(f"nothing is at {self._place}, which was said to be here")
        self._place += len(data)
        return data

    def _more(self) -> Range:
        part = self._ask(self._place)
        if not part[0] <= self._place < part[1]:
            raise OSError(f"asked for {self._place}, given {part[0]} to {part[1]}")
        self._held = merged((*self._held, part))
        return part


def holding(held: Iterable[Range], place: int) -> Range | None:
    return next((part for part in held if part[0] <= place < part[1]), None)


def merged(parts: Iterable[Range]) -> tuple[Range, ...]:
    """In order, those that touch as one.

    >>> merged([(8, 10), (0, 4), (4, 6)])
    ((0, 6), (8, 10))
    """
    found: list[Range] = []
    for start, end in sorted(parts):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


def missing(held: Iterable[Range], size: int) -> tuple[Range, ...]:
    """What lies between.

    >>> missing([(0, 4), (8, 10)], 12)
    ((4, 8), (10, 12))
    """
    ends = [0, *(place for part in merged(held) for place in part), size]
    gaps = zip(ends[::2], ends[1::2], strict=True)
    return tuple((start, end) for start, end in gaps if start < end)
