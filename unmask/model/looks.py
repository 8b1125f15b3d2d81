"""A picture is looked at several times; its score is the mean of what each look says.

A film shows a face in many places and sizes, and its frames' scores level out. A picture shows it
once, and its score hangs on how the crop happens to lie.
"""

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np

from unmask.model.clips import Frames, PersonFrames, Window
from unmask.model.description import Description, Judged, Look
from unmask.model.margins import Margins, mean_of


def is_picture(person: PersonFrames) -> bool:
    return len(person.windows) == 1 and len(person.windows[0].frames) == 1


def kind_of(person: PersonFrames) -> Judged:
    return "pictures" if is_picture(person) else "films"


def looked_at(person: PersonFrames, said: Description) -> Iterator[Window]:
    """The person's windows; behind a picture's one window come its other looks."""
    yield from person.windows
    if is_picture(person):
        [window] = person.windows
        for look in said.looks:
            yield window._replace(frames=seen(window.frames, look))


def by_window(
    person: PersonFrames, said: Description, found: Iterator[Margins]
) -> Iterator[tuple[Window, Margins]]:
    """Takes the margins of what `looked_at` gave, one by one."""
    looks = 1 + len(said.looks) if is_picture(person) else 1
    gain = _gain(person, said)
    for window in person.windows:
        yield window, mean_of(list(islice(found, looks)), gain)


def _gain(person: PersonFrames, said: Description) -> float:
    if not is_picture(person):
        return said.films_gain
    return said.looks_gain if said.looks else 1.0


def seen(frames: Frames, look: Look) -> Frames:
    [frame] = frames
    side = len(frame)
    cut = round(look.closer * side)
    if cut:
        inner = frame[cut : side - cut, cut : side - cut]
        frame = np.asarray(cv2.resize(inner, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.ascontiguousarray(frame[:, ::-1] if look.mirrored else frame)[None]
