"""Where one shot ends and the next begins.

A tiny picture is compared place by place: two scenes may have one histogram, as two rooms by day.
"""

from collections.abc import Callable, Iterable, Iterator

import cv2

from unmask.media.picture import Grey, Picture

_GLANCE = (64, 36)
#: Mean change of grey (of 255) that a cut reaches at least, and how far above the usual change.
_CHANGE = 16.0
_ABOVE_USUAL = 3.0
#: Weight of the newest change in the usual one.
_NEWEST = 0.2


class CutFinder:
    """Says of each picture whether it begins a new shot; the first one does."""

    def __init__(self) -> None:
        self._last: Grey | None = None
        self._usual = 0.0

    def begins_shot(self, picture: Picture) -> bool:
        glance, last = picture.glance(*_GLANCE), self._last
        self._last = glance
        if last is None or last.shape != glance.shape:
            return True
        change = float(cv2.norm(glance, last, cv2.NORM_L1)) / glance.size
        is_cut = change > max(_CHANGE, _ABOVE_USUAL * self._usual)
        if not is_cut:
            self._usual += _NEWEST * (change - self._usual)
        return is_cut


def chunks(
    pictures: Iterable[Picture], longest: Callable[[bool], int]
) -> Iterator[tuple[bool, list[Picture]]]:
    """Runs inside one shot, each told whether it begins the shot.

    How long the next run may be is asked when the one before it was looked at, so that the answer
    can follow from what was seen.
    """
    finder, chunk, fresh, most = CutFinder(), list[Picture](), True, longest(True)
    for picture in pictures:
        if finder.begins_shot(picture):
            if chunk:
                yield fresh, chunk
            chunk, fresh, most = [], True, longest(True)
        chunk.append(picture)
        if len(chunk) == most:
            yield fresh, chunk
            chunk, fresh, most = [], False, longest(False)
    if chunk:
        yield fresh, chunk
