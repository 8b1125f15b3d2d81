"""Every face of a film of known truth is found, in its place, in every condition."""

import numpy as np
import pytest

from bench.made.boxes import EVERY_FRAME, face_square
from bench.made.film import coded
from bench.made.truth import CONDITIONS, SAME_FACE, overlap
from tests.making.extracted import extracted

FRAMES = 60
RATE = 25


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_face_is_found_in_every_frame_and_in_its_place(name: str) -> None:
    scene = CONDITIONS[name].film(FRAMES)
    _, manifest = extracted(coded(scene.pictures, rate=RATE))

    (person,) = manifest.persons
    overlaps = [0.0] * FRAMES
    for frame in person.frames:
        index = round(frame.time_s * RATE)
        assert frame.time_s == pytest.approx(index / RATE, abs=1e-6)
        (truth,) = scene.faces[index].values()
        overlaps[index] = overlap(face_square(frame, EVERY_FRAME), truth)
    assert np.mean([each > SAME_FACE for each in overlaps]) >= 0.99
    assert np.mean([each >= 0.7 for each in overlaps]) >= 0.95
    tracked = [overlaps[round(f.time_s * RATE)] for f in person.frames if not f.detected]
    assert len(tracked) >= 20
    assert np.mean([each >= 0.7 for each in tracked]) >= 0.95
