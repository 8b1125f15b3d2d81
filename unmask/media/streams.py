"""Which of a file's streams is the film: the longest, and it is said that there are others.

A decoy that comes first, or is marked as the one to play, must not hide the film behind it.
"""

import re
from collections.abc import Sequence
from typing import Any

from av.stream import Disposition

from unmask.errors import Refused
from unmask.media.length import Lengths, own_length, told_length
from unmask.outcomes import Outcome

#: The muxers of FFmpeg and mkvtoolnix write so how long one stream of a Matroska file is.
_LENGTH_TAG = "DURATION"
_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)")
#: Streams of one film end so near to one another, or nearer.
_AS_LONG_S = 1.0
#: What an ISO file calls itself, and animated AVIFs call themselves.
_BRAND, _SEQUENCES = "major_brand", frozenset({"avis", "avif"})
_LEFT_ASIDE = "it holds {} video streams; only the main one was looked at"


def film_streams(container: Any) -> list[Any]:
    """Those that could be the film; the cover of a film or of music is none."""
    found = [
        stream
        for stream in container.streams.video
        if has_pictures(stream) and not _is_cover(stream)
    ]
    if not found:
        kinds = ", ".join(sorted(map(_told, container.streams))) or "no stream"
        raise Refused(Outcome.NOT_MEDIA, f"it holds no video ({kinds})")
    return found


def told_lengths(container: Any, streams: Sequence[Any]) -> Lengths:
    """By the file's own words; of several streams each must speak for itself."""
    if len(streams) == 1:
        return [told_length(container, streams[0])]
    return [0.0 if _is_still(stream) else own_length(container, stream) for stream in streams]


def tagged_lengths(streams: Sequence[Any]) -> Lengths:
    """By the tags: anybody may write there, so only where the packets can't be walked through."""
    return [_seconds(stream.metadata.get(_LENGTH_TAG, "")) for stream in streams]


def _seconds(tag: str) -> float | None:
    """
    >>> _seconds("01:02:03.500000000"), _seconds("long")
    (3723.5, None)
    """
    found = _CLOCK.fullmatch(tag)
    if found is None:
        return None
    hours, minutes, seconds = map(float, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def the_film(streams: Sequence[Any], lengths: Sequence[float | None]) -> int:
    """The longest. A second less tells nothing: then the one to be played, or the first."""
    known = [length_s or 0.0 for length_s in lengths]
    longest = max(known)
    least = max(longest - _AS_LONG_S, longest / 2)  # of a film of a second, a picture is none
    as_long = [place for place, length_s in enumerate(known) if length_s >= least]
    return next((place for place in as_long if _is_default(streams[place])), as_long[0])


def left_aside(container: Any) -> str:
    """Those that no decoder here can read count too; a single picture is a cover."""
    others = [one for one in container.streams.video if not _is_cover(one) and not _is_still(one)]
    if container.metadata.get(_BRAND) in _SEQUENCES:
        others = [one for one in others if not any(_is_clearness(one, of) for of in others)]
    return _LEFT_ASIDE.format(len(others)) if len(others) > 1 else ""


def _is_clearness(stream: Any, of: Any) -> bool:
    """How clear the pictures of another are: what an animated AVIF tells beside its colours."""
    if not has_pictures(stream) or not has_pictures(of):
        return False
    alike = _size_and_length(stream) == _size_and_length(of)
    return alike and _is_grey(stream) and not _is_grey(of)


def _is_grey(stream: Any) -> bool:
    return str(stream.codec_context.pix_fmt).startswith("gray")


def _size_and_length(stream: Any) -> tuple[int, int, int, int | None]:
    return stream.width, stream.height, stream.frames, stream.duration


def has_pictures(stream: Any) -> bool:
    return stream.codec_context is not None and stream.codec_context.width > 0


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.default)


def _is_still(stream: Any) -> bool:
    """As an animated AVIF begins: with itself as one picture."""
    return bool(stream.frames == 1)


def _told(stream: Any) -> str:
    return "a cover picture" if _is_cover(stream) else str(stream.type)
