"""One way in for every kind of file: sniff, open, probe."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any, BinaryIO, Protocol

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.holes import Holed
from unmask.media.length import (
    Lengths,
    indexed_lengths,
    lengths_by_the_end,
    told_length,
    walked_lengths,
)
from unmask.media.picture import Picture
from unmask.media.stills import Still, open_image
from unmask.media.streams import film_streams, tagged_lengths, the_film, told_lengths
from unmask.media.values import MediaInfo
from unmask.media.video import Video, open_container, tells_length
from unmask.outcomes import Outcome


class Source(Protocol):
    """What the rest of the road sees of a file."""

    info: MediaInfo
    frames_decoded: int
    broken_packets: int
    last_error: str
    #: Says so where a file holds more than what is looked at.
    left_aside: str

    def near(self, start_s: float, slack_s: float) -> float: ...

    def pictures(self, start_s: float) -> Iterator[Picture]: ...


@contextmanager
def opened(file: BinaryIO, budget: Budget) -> Iterator[Source]:
    budget.check_bytes(_length(file))
    if _looks_like_picture(file):
        image = open_image(file)
        if image is not None:
            with image:
                yield Still(file, image, budget)
            return
    with ExitStack() as stack:
        yield _film(file, budget, stack)


def _film(file: BinaryIO, budget: Budget, stack: ExitStack) -> Video:
    told = tells_length(file)  # by its first bytes: once it is opened, nobody else may read it
    container = stack.enter_context(open_container(file, walk=told))
    streams = film_streams(container)
    lengths: Lengths = told_lengths(container, streams) if told else [None] * len(streams)
    indexed = indexed_lengths(container, streams, lengths)
    if indexed is not None:
        lengths = indexed
    elif told and isinstance(file, Holed):  # it is not fetched for that alone
        lengths = tagged_lengths(streams) if None in lengths else lengths
    elif told:
        lengths = _met_lengths(file, container, streams, lengths, budget)
        container = stack.enter_context(open_container(file))
    film = the_film(streams, lengths)
    stream = container.streams[streams[film].index]
    length_s = lengths[film] or (told_length(container, stream) if told else None)

    def again() -> Any:
        return stack.enter_context(open_container(file, walk=told))

    return stack.enter_context(closing(Video(stream, budget, length_s, again)))


def _met_lengths(
    file: BinaryIO, container: Any, streams: Sequence[Any], told: Lengths, budget: Budget
) -> Lengths:
    """By the last packets where they agree with what is told, else by all of them.

    The container is used up by it.
    """
    if None in told:
        return walked_lengths(container, streams, budget)
    lengths = lengths_by_the_end(container, streams, told, budget)
    if lengths is not None:
        return lengths
    with open_container(file) as again:
        return walked_lengths(again, film_streams(again), budget)


def _length(file: BinaryIO) -> int:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    if length == 0:
        raise Refused(Outcome.NOT_MEDIA, "the file is empty")
    return length


def _looks_like_picture(file: BinaryIO) -> bool:
    head = file.read(32)
    file.seek(0)
    return head.startswith(_PICTURE_HEADS) or _boxed_brand(head) in _PICTURE_BRANDS


def _boxed_brand(head: bytes) -> bytes:
    """The brand of an ISO file, or the form of a RIFF file."""
    if head[4:8] == b"ftyp" or head[:4] == b"RIFF":
        return head[8:12]
    return b""


_PICTURE_HEADS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"),
    *(b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),  # TIFF, and BigTIFF
    *(b"GIF87a", b"GIF89a"),
)
_PICTURE_BRANDS = frozenset({b"WEBP", b"avif", b"heic", b"heix", b"mif1", b"msf1", b"heim"})
