"""The first N frames with a face: nothing is read or searched for that nobody asked for."""

import numpy as np
import pytest

from bench.made.film import Scene, coded, one_face
from tests.making.extracted import extracted
from tests.making.looked_at import film_looked_at
from unmask.spec import ScanSpec


def first(frames: int) -> ScanSpec:
    return ScanSpec().with_options(frames=frames, first=True)


def moving(count: int) -> Scene:
    return one_face(count, lambda i: (150 + 5 * i, 180))


def test_no_more_is_read_than_the_first_frames_asked_for() -> None:
    _, manifest = extracted(coded(moving(60).pictures), first(10))
    assert len(manifest.persons[0].frames) == 10
    assert manifest.persons[0].frames[-1].detected
    assert manifest.frames_decoded == 10


def test_after_a_cut_it_reads_on_until_one_face_has_them_all() -> None:
    before, after = moving(12).pictures, moving(60).pictures
    elsewhere = [np.ascontiguousarray(picture[:, ::-1]) for picture in after]
    _, manifest = extracted(coded([*before, *elsewhere]), first(20))
    assert manifest.frames_decoded == 32


@pytest.mark.parametrize("missing", [1, 2, 15])
def test_who_is_gone_before_the_last_frame_is_not_looked_for_picture_by_picture(
    missing: int,
) -> None:
    looks = film_looked_at([1] * (30 - missing) + [0] * 300, wanted=30)
    assert looks <= film_looked_at([1] * (30 - missing) + [0] * 300, wanted=None)


def test_two_who_stay_cost_no_more_than_one() -> None:
    assert film_looked_at([2] * 60, wanted=20) == film_looked_at([1] * 60, wanted=20)
