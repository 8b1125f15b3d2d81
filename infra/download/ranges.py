"""Ranges in HTTP: what is asked for, and whether the answer is a part of the same file."""

import re
from dataclasses import dataclass

import httpcore

from infra.download.statuses import header
from unmask.errors import UnmaskError
from unmask.media.holes import Range

PARTIAL = 206
NOT_SATISFIABLE = 416
Headers = tuple[tuple[bytes, bytes], ...]

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
#: A weak tag (`W/"…"`) does not promise the same bytes.
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"', re.ASCII)
_DATE = re.compile(r"[A-Za-z0-9 ,:+-]{10,40}", re.ASCII)


class NotInParts(UnmaskError):
    """This server gives no part, or not of the same file: it has to come whole."""

    def __init__(self, reason: str, *, received: int = 0, spent_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        #: What trying cost: it counts against what one file may cost.
        self.received, self.spent_s = received, spent_s


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What an answer with status 206 says of itself."""

    start: int
    end: int
    size: int
    validator: str


def asking(part: Range, validator: str = "") -> Headers:
    """If the file is another by now, the server is to send it whole."""
    headers: Headers = ((b"Range", f"bytes={part[0]}-{part[1] - 1}".encode()),)
    return (*headers, (b"If-Range", validator.encode())) if validator else headers


def read_piece(answer: httpcore.Response, asked: Range) -> Piece:
    """Believed only where it begins as asked, ends no later, and says of which version it is."""
    told = _CONTENT_RANGE.fullmatch(header(answer, b"content-range") or "")
    if answer.status != PARTIAL or not told:
        raise NotInParts(f"asked for a range, the server answered {answer.status} without one")
    first, last, size = map(int, told.groups())
    if first != asked[0] or not first <= last < min(asked[1], size):
        raise NotInParts(f"asked for {asked[0]}-{asked[1] - 1}, the server sent {first}-{last}")
    if (header(answer, b"content-encoding") or "identity").strip().lower() != "identity":
        raise NotInParts("the range is compressed")
    length = header(answer, b"content-length")
    if length is not None and length != str(last + 1 - first):
        raise NotInParts(f"a range of {last + 1 - first} bytes with a body of {length:.20}")
    return Piece(start=first, end=last + 1, size=size, validator=_validator(answer))


def _validator(answer: httpcore.Response) -> str:
    """Its tag, or else its date: without one nobody knows whether two parts belong together."""
    tag = (header(answer, b"etag") or "").strip()
    date = (header(answer, b"last-modified") or "").strip()
    for value, rule in ((tag, _STRONG_TAG), (date, _DATE)):
        if rule.fullmatch(value):
            return value
    raise NotInParts("the server says of no version which it is")
