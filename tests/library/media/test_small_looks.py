"""Small pictures are searched where everybody is large; who is missed is looked for again."""

from tests.making.looked_at import PEOPLE, flat
from unmask.media.faces.port import Face
from unmask.media.picture import Picture
from unmask.media.tracks import Follower

FADED = 20


def missed_in_small(picture: Picture, share: float) -> list[Face]:
    return [] if share < 1.0 and picture.time_s == FADED else PEOPLE[:1]


def test_who_is_missed_in_a_small_picture_is_looked_for_in_the_full_one() -> None:
    shares: list[float] = []

    def noted(picture: Picture, share: float) -> list[Face]:
        shares.append(share)
        return missed_in_small(picture, share)

    looks = list(Follower(noted, 8).follow([flat(index) for index in range(FADED + 1)]))
    assert all(look.seen for look in looks)
    assert shares[-2] < shares[-1] == 1.0
