"""Which of the decoded pictures belong to a window."""

from collections.abc import Iterable, Iterator
from itertools import islice

from unmask.media.picture import Picture
from unmask.media.plan import Window

#: How far before its moment a picture is taken, in spacings: half a frame at twice the rate.
_EARLY = 0.25


def picked(pictures: Iterable[Picture], window: Window) -> Iterator[Picture]:
    spaced = _strided(pictures, window) if window.spacing_s is None else _spaced(pictures, window)
    return spaced if window.picks is None else islice(spaced, window.picks)


def _strided(pictures: Iterable[Picture], window: Window) -> Iterator[Picture]:
    return islice(pictures, 0, None, window.stride)


def _spaced(pictures: Iterable[Picture], window: Window) -> Iterator[Picture]:
    """The first picture at or just before each moment; a slow video gives every one it has."""
    spacing = window.spacing_s or 0.0
    due: float | None = None
    for picture in pictures:
        if due is not None and picture.time_s < due - _EARLY * spacing:
            continue
        yield picture
        late = due is None or picture.time_s >= due + spacing
        due = (picture.time_s if late or due is None else due) + spacing
