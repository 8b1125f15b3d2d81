"""Every face of a film of known truth is found, in its place, in every condition."""

import dataclasses

import cv2
import numpy as np
import pytest

from bench.made.boxes import EVERY_FRAME, face_square
from bench.made.faces import Rgb
from bench.made.film import backdrop, coded, one_face
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


@pytest.mark.parametrize("size", [(3840, 2160), (4000, 3000)])
def test_a_small_face_in_a_large_picture_is_found(size: tuple[int, int]) -> None:
    """64 pixels in a film of 4K, or in a photograph of twelve megapixels."""
    scene, whole = one_face(2, lambda i: (200 + 9 * i, 200), lambda _: 64.0), backdrop(*size)
    pictures = [_laid_on(whole, part) for part in scene.pictures]
    data = coded(pictures) if size[1] == 2160 else _photo(pictures[0])
    _, manifest = extracted(data, dataclasses.replace(EVERY_FRAME, min_frames=1))
    (person,) = manifest.persons
    for frame, truth in zip(person.frames, scene.faces, strict=False):
        assert overlap(face_square(frame, EVERY_FRAME), truth["astronaut"]) >= 0.7


def _laid_on(whole: Rgb, part: Rgb) -> Rgb:
    """In the upper left: places in the part are places in the whole."""
    laid = whole.copy()
    laid[: part.shape[0], : part.shape[1]] = part
    return laid


def _photo(picture: Rgb) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
