"""Bytes → numbered lines of text, whatever wrote them, in bounded memory."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

#: Longer lines are refused, not held in memory.
MAX_LINE = 1 << 20
#: How much of an over-long line is kept, to show it.
KEPT = 200
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, kw_only=True)
class Line:
    number: int
    text: str
    #: False where the line was longer than `MAX_LINE` and only its beginning is here.
    whole: bool = True


def numbered_lines(stream: BinaryIO) -> Iterator[Line]:
    """UTF-8 with or without a mark, UTF-16 with one, and Windows or Latin-1 text line by line.

    LF, CRLF and CR all end a line.
    """
    encoding, errors = _decoding(stream)
    text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline=None)
    try:
        number = 0
        while raw := text.readline(MAX_LINE):
            number += 1
            whole = raw.endswith("\n") or len(raw) < MAX_LINE
            if not whole:
                whole = _rest_is_empty(text)
            yield Line(number=number, text=_repair(raw if whole else raw[:KEPT]), whole=whole)
    finally:
        if not stream.closed:
            text.detach()


def _decoding(stream: BinaryIO) -> tuple[str, str]:
    start = cast("io.BufferedReader", stream).peek(2)[:2]
    if start in UTF16_MARKS:
        return "utf-16", "replace"
    return "utf-8-sig", "surrogateescape"


def _rest_is_empty(text: io.TextIOWrapper) -> bool:
    """Skip to the end of the line; True if there was nothing left of it."""
    part = text.readline(MAX_LINE)
    empty = part in ("", "\n")
    while part and not part.endswith("\n"):
        part = text.readline(MAX_LINE)
    return empty


def _repair(raw: str) -> str:
    """The line without its end; bytes that are no UTF-8 are read as Windows text, else Latin-1."""
    line = raw.removesuffix("\n")
    if line.isascii():
        return line
    data = line.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
