"""How large a coded face picture says it is, before anything is decoded.

Whoever took a decoder over in its room could also write the clips that leave it: pictures of a few
bytes that unfold to gigabytes in the classifier.
"""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = 24
QOI = b"qoif"
_QOI_HEADER = 12
JPEG = b"\xff\xd8\xff"
#: Segments that hold the size (SOF0 to SOF15), without those of other use among them.
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: From a segment's mark to the end of the size in it.
_JPEG_SIZE_END = 9


def sides(data: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height; None where it is none of the codings that clips have."""
    if data[: len(_PNG)] == _PNG and len(data) >= _PNG_HEADER:
        return _two(data, 16, 4)
    if data[: len(QOI)] == QOI and len(data) >= _QOI_HEADER:
        return _two(data, 4, 4)
    return _jpeg(data) if data[: len(JPEG)] == JPEG else None


def _jpeg(data: bytes | memoryview) -> tuple[int, int] | None:
    """Segment by segment; nothing may stand between them."""
    place = 2
    while place + _JPEG_SIZE_END <= len(data) and data[place] == 0xFF:
        if data[place + 1] in _JPEG_SIZES:
            height, width = _two(data, place + 5, 2)
            return width, height
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _two(data: bytes | memoryview, place: int, width: int) -> tuple[int, int]:
    """Two numbers, one after the other."""
    middle = place + width
    first, second = data[place:middle], data[middle : middle + width]
    return int.from_bytes(first, "big"), int.from_bytes(second, "big")
