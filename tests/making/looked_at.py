"""How often a detector is asked about a film in which people stand still."""

from collections.abc import Sequence

import numpy as np

from unmask.media.colour import Colour
from unmask.media.faces.port import Face
from unmask.media.geometry import View
from unmask.media.picture import Picture
from unmask.media.tracks import Follower
from unmask.media.values import Box

NOISE = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
PEOPLE = [Face(box=Box(x=10 + 30 * each, y=10, width=20, height=20)) for each in range(2)]


def film_looked_at(people: Sequence[int], *, wanted: int | None) -> int:
    """`people` tells how many there are in each picture."""
    follower = Follower(lambda picture, _: PEOPLE[: people[round(picture.time_s)]], 8)
    taken = 0
    for look in follower.follow((flat(index) for index in range(len(people))), wanted):
        taken += bool(look.seen)
        if taken == wanted:
            break
    return follower.looks


def flat(index: int) -> Picture:
    """One like the other: what stands still in them is found again."""
    return picture_of((NOISE,), View(coded_width=80, coded_height=60), time_s=index)


def picture_of(planes: tuple[np.ndarray, ...], view: View, *, time_s: float = 0.0) -> Picture:
    return Picture(time_s=time_s, view=view, planes=planes, colour=Colour())
