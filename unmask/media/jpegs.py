"""Whether another picture follows a JPEG at once: so films of them are written without a container.

What it tells of itself (its preview, its light) is passed over: each part says how long it is.
"""

from typing import BinaryIO

from unmask.media.budget import Budget

_START, _SCAN, _END = b"\xff\xd8\xff", 0xDA, b"\xff\xd9"
_CHUNK = 1 << 20


def another_follows(file: BinaryIO, budget: Budget) -> bool:
    """Leaves the file where it was."""
    place = file.tell()
    follows = pass_jpeg(file, budget) and file.read(len(_START)) == _START
    file.seek(place)
    return follows


def pass_jpeg(file: BinaryIO, budget: Budget) -> bool:
    """To what lies behind it; false where it has no end."""
    _go_to_scan(file)
    return _pass_end(file, budget)


def _go_to_scan(file: BinaryIO) -> None:
    file.seek(len(_START) - 1)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] != _SCAN:
        file.seek(max(0, int.from_bytes(head[2:], "big") - 2), 1)


def _pass_end(file: BinaryIO, budget: Budget) -> bool:
    """Coded samples never look like the mark of the end."""
    before = b""
    while chunk := file.read(_CHUNK):
        budget.check()
        chunk = before + chunk
        at = chunk.find(_END)
        if at >= 0:
            file.seek(at + len(_END) - len(chunk), 1)
            return True
        before = chunk[-1:]
    return False
