"""An AVI with a stream of subtitles: readers take its one packet, of any text, for a file."""

import struct

from tests.fuzz.formats import riff
from tests.fuzz.parts import put
from tests.fuzz.seeds import seeds

#: A reader that takes the packet for a file of subtitles tells it as the stream's.
TITLE = "words"
#: Of the good film's entries in its index, and of ours.
_ENTRY = struct.Struct("<4sIII")
_KEY = 0x10


def avi_with_subtitles(text: bytes) -> bytes:
    """The good film, with the text as its second stream."""
    data = seeds()["avi"]
    parts = {part.name: part for part in riff(data)}
    whole, head = parts["RIFF-AVI "], parts["RIFF-AVI /LIST-hdrl"]
    film, index = parts["RIFF-AVI /LIST-movi"], parts["RIFF-AVI /idx1"]
    said, stream = chunk(b"01tx", gab2(text)), stream_of_text()
    entries = [_ENTRY.unpack(data[at : at + 16]) for at in range(index.body, index.end, 16)]
    moved = [_ENTRY.pack(kind, flags, at + len(said), size) for kind, flags, at, size in entries]
    ours = _ENTRY.pack(b"01tx", _KEY, 4, len(said) - 8)
    body = b"".join(
        (
            listed(b"hdrl", two_streams(data[head.body + 4 : head.end]) + stream),
            data[head.end : film.start],
            listed(b"movi", said + data[film.body + 4 : film.end]),
            chunk(b"idx1", ours + b"".join(moved)),
        )
    )
    return chunk(b"RIFF", data[whole.body : head.start] + body)


def two_streams(head: bytes) -> bytes:
    """The main header says how many there are, after its own eight bytes and six numbers."""
    return put(head, 8 + 24, struct.pack("<I", 2))


def stream_of_text() -> bytes:
    """As `strh` of one unit a second, with a `strf` that says nothing."""
    header = struct.pack("<4s4s10I", b"txts", bytes(4), 0, 0, 0, 1, 1, 0, 1, 0, 0, 0) + bytes(8)
    return listed(b"strl", chunk(b"strh", header) + chunk(b"strf", b""))


def gab2(text: bytes) -> bytes:
    """A title, then the file of subtitles."""
    title = (TITLE + "\0").encode("utf-16-le")
    start = b"GAB2\0" + struct.pack("<HI", 2, len(title)) + title
    return start + struct.pack("<HI", 4, len(text)) + text


def listed(kind: bytes, body: bytes) -> bytes:
    return chunk(b"LIST", kind + body)


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
