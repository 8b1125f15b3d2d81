"""Whether a film lies behind a picture: telephones write what went before a photograph so.

JPEG or PNG │ maybe the light of HDR │ an MP4
"""

import re
from typing import BinaryIO

from unmask.media.budget import Budget
from unmask.media.jpegs import pass_jpeg

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"
#: Of a chunk without what is in it: its length, its name and its sum.
_PNG_CHUNK = 12
#: How an MP4 begins, whose first box is short.
_FILM = re.compile(rb"\0\0\0[\x08-\x80]ftyp")
_FILM_BYTES = 8
#: What lies between picture and film is smaller.
_FAR, _CHUNK = 16 << 20, 1 << 20


def film_follows(file: BinaryIO, budget: Budget) -> bool:
    """Leaves the file where it was."""
    place = file.tell()
    file.seek(0)
    is_png = file.read(len(_PNG)) == _PNG
    ended = _pass_png(file, budget) if is_png else pass_jpeg(file, budget)
    found = ended and _meets_film(file, budget)
    file.seek(place)
    return found


def _pass_png(file: BinaryIO, budget: Budget) -> bool:
    while len(head := file.read(8)) == 8:
        budget.check()
        file.seek(int.from_bytes(head[:4], "big") + _PNG_CHUNK - len(head), 1)
        if head[4:] == _PNG_END:
            return True
    return False


def _meets_film(file: BinaryIO, budget: Budget) -> bool:
    before = b""
    for _ in range(_FAR // _CHUNK):
        budget.check()
        chunk = file.read(_CHUNK)
        if _FILM.search(before + chunk):
            return True
        if not chunk:
            break
        before = chunk[1 - _FILM_BYTES :]
    return False
