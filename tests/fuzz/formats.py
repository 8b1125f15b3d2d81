"""Reads just enough of each format to know where its parts lie."""

from collections.abc import Callable, Iterator, Mapping

from tests.fuzz.parts import Part

_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"moof", b"traf"}
_LISTS = {b"RIFF", b"LIST"}
#: EBML, Segment, SeekHead, Info, Tracks, TrackEntry, Video, Cluster, BlockGroup, Cues, CuePoint.
_ELEMENTS = {
    *(0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0),
    *(0x1F43B675, 0xA0, 0x1C53BB6B, 0xBB),
}


def mp4(data: bytes, start: int = 0, end: int | None = None, path: str = "") -> Iterator[Part]:
    end = len(data) if end is None else end
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or start + size > end:
            return
        kind = data[start + 4 : start + 8]
        name = f"{path}{kind.decode('latin-1')}"
        yield Part(
            name=name, start=start, body=start + 8, end=start + size, length=(start, 4, "big")
        )
        if kind in _BOXES:
            yield from mp4(data, start + 8, start + size, f"{name}/")
        start += size


def riff(data: bytes, start: int = 0, end: int | None = None, path: str = "") -> Iterator[Part]:
    """AVI and WebP."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        kind = data[start : start + 4]
        stop = min(start + 8 + int.from_bytes(data[start + 4 : start + 8], "little"), end)
        name = f"{path}{kind.decode('latin-1')}"
        if kind in _LISTS:
            name += f"-{data[start + 8 : start + 12].decode('latin-1')}"
        yield Part(
            name=name, start=start, body=start + 8, end=stop, length=(start + 4, 4, "little")
        )
        if kind in _LISTS:
            yield from riff(data, start + 12, stop, f"{name}/")
        start = stop + stop % 2


def matroska(data: bytes, start: int = 0, end: int | None = None, path: str = "") -> Iterator[Part]:
    end = len(data) if end is None else end
    while start < end:
        kind_width = _vint_width(data[start])
        at = start + kind_width
        if at >= end:
            return
        kind, width = int.from_bytes(data[start:at], "big"), _vint_width(data[at])
        body = at + width
        size = int.from_bytes(data[at:body], "big") & ((1 << 7 * width) - 1)
        stop = end if size == (1 << 7 * width) - 1 else min(body + size, end)
        name = f"{path}{kind:X}"
        yield Part(name=name, start=start, body=body, end=stop, length=(at, width, "big"))
        if kind in _ELEMENTS:
            yield from matroska(data, body, stop, f"{name}/")
        start = max(stop, body)


def _vint_width(first: int) -> int:
    return 9 - first.bit_length() if first else 8


def png(data: bytes) -> Iterator[Part]:
    start = 8
    while start + 12 <= len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        name = data[start + 4 : start + 8].decode("latin-1")
        stop = start + 12 + size
        yield Part(name=name, start=start, body=start + 8, end=stop, length=(start, 4, "big"))
        start = stop


def jpeg(data: bytes) -> Iterator[Part]:
    start = 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        size = int.from_bytes(data[start + 2 : start + 4], "big")
        name = f"{data[start + 1]:02X}"
        stop = start + 2 + size if name != "DA" else len(data)
        yield Part(name=name, start=start, body=start + 4, end=stop, length=(start + 2, 2, "big"))
        start = stop


def gif(data: bytes) -> Iterator[Part]:
    table = 3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0
    yield Part(name="screen", start=6, body=6, end=13)
    yield Part(name="colours", start=13, body=13, end=13 + table)
    start = 13 + table
    while start < len(data) and data[start] != 0x3B:
        if data[start] == 0x2C:
            local = 3 << (data[start + 9] & 7) + 1 if data[start + 9] & 0x80 else 0
            name, body = "picture", start + 10 + local + 1
        else:
            name, body = f"extension {data[start + 1]:02X}", start + 2
        stop = _after_blocks(data, body)
        yield Part(name=name, start=start, body=body, end=stop, length=(body, 1, "little"))
        start = stop


def _after_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


Reader = Callable[[bytes], Iterator[Part]]

READERS: Mapping[str, Reader] = {
    "mp4": mp4,
    "mkv": matroska,
    "avi": riff,
    "gif": gif,
    "png": png,
    "jpg": jpeg,
    "webp": riff,
}
