"""A picture is looked at several times; its score is the mean of what each look says.

A film shows a face in many places and sizes, and its frames' scores level out. A picture shows it
once, and its score hangs on how the crop happens to lie.
"""

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np

from unmask.model.clips import Frames, PersonFrames, Window
from unmask.model.description import Description, Look
from unmask.model.margins import Margins, mean_of


def is_picture(person: PersonFrames) -> bool:
    return len(person.windows) == 1 and len(person.windows[0].frames) == 1


def looked_at(person: PersonFrames, said: Description) -> Iterator[Window]:
    """The person's windows; behind a picture's one window come its other looks."""
    yield from person.windows
    if is_picture(person):
        [window] = person.windows
        for look in said.looks:
            yield window._replace(frames=seen(window.frames, look))


def by_window(
    person: PersonFrames, said: Description, found: Iterator[Margins]
) -> Iterator[Margins]:
    """From the margins of `looked_at`, taken one by one, to one for each of the windows."""
    if said.looks and is_picture(person):
        yield mean_of(list(islice(found, 1 + len(said.looks))), said.looks_gain)
    else:
        yield from islice(found, len(person.windows))


def seen(frames: Frames, look: Look) -> Frames:
    [frame] = frames
    side = len(frame)
    cut = round(look.closer * side)
    if cut:
        inner = frame[cut : side - cut, cut : side - cut]
        frame = np.asarray(cv2.resize(inner, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    return np.ascontiguousarray(frame[:, ::-1] if look.mirrored else frame)[None]
