"""How results leave the room: one letter, a length, the bytes.

C  a clip: four bytes of person, then the clip        M  the manifest
R  refused: JSON of outcome and reason                F  failed: what happened, as text
D  done: nothing is missing              N  needs bytes at a place: eight bytes, and waits for them
"""

import os
import select
import struct
import time
from collections.abc import Iterator
from typing import BinaryIO

from unmask.errors import UnmaskError

CLIP, MANIFEST, REFUSED, FAILED, UNUSABLE, DONE = b"C", b"M", b"R", b"F", b"U", b"D"
NEED = b"N"
KINDS = frozenset({CLIP, MANIFEST, REFUSED, FAILED, UNUSABLE, DONE, NEED})

PERSON = struct.Struct(">I")
PLACE = struct.Struct(">Q")
#: The answer: which bytes are here now; none where they can't be had.
PART = struct.Struct(">QQ")
_HEAD = struct.Struct(">cI")
_CHUNK = 1 << 20


class BadFrames(UnmaskError):
    """What came out of the room is not what our own code writes."""


def write_frame(out: BinaryIO, kind: bytes, *parts: bytes) -> None:
    out.write(_HEAD.pack(kind, sum(map(len, parts))))
    out.writelines(parts)
    out.flush()


class FrameReader:
    """Reads what a stranger may have written: never more than `budget` bytes, nor after `end`."""

    def __init__(self, handle: int, *, end: float, budget: int) -> None:
        self._handle = handle
        self._end = end
        self._left = budget
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """Until the writer is gone; a frame that breaks off is dropped with it."""
        while head := self._exactly(_HEAD.size):
            kind, length = _HEAD.unpack(head)
            if kind not in KINDS or length > self._left:
                raise BadFrames(f"a frame of kind {kind!r} with {length:,} bytes")
            body = self._exactly(length) if length else b""
            if body is None:
                return
            yield kind, body

    def _exactly(self, length: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < length:
            part = self._some(min(_CHUNK, length - len(parts)))
            if not part:
                return None
            parts += part
            self._left -= len(part)
            if self._left < 0:
                raise BadFrames("more came out of the room than any file yields")
        return bytes(parts)

    def _some(self, most: int) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise TimeoutError("the room did not end in time")
        return os.read(self._handle, most)
