"""The papers' preprocessing, against a plain re-telling of it with OpenCV and dlib."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.library.media.film import backdrop, coded, one_face
from tests.library.media.run import extracted
from unmask.media import decode_frames
from unmask.media.faces import detector
from unmask.spec import PAPERS

LOSSLESS = dataclasses.replace(PAPERS, coding="png", frames=12)


def as_published(path: Path, frames: int) -> list[Any]:
    reader = cv2.VideoCapture(str(path))
    faces: list[Any] = []
    while len(faces) < frames:
        read, bgr = reader.read()
        if not read:
            break
        found = detector("hog")(np.ascontiguousarray(bgr[:, :, ::-1]))
        if found:
            box = found[0].box
            top, left = int(box.y), int(box.x)
            bgr = bgr[top : top + int(box.height), left : left + int(box.width)]
        faces.append(cv2.resize(bgr, (112, 112))[:, :, ::-1])
    return faces


@pytest.fixture
def film(tmp_path: Path) -> Path:
    shown = one_face(10, lambda i: (150 + 4 * i, 120), size=(320, 240)).pictures
    path = tmp_path / "film.mp4"
    path.write_bytes(coded([*shown, *[backdrop(320, 240)] * 4]))
    return path


def test_frame_by_frame_as_published(film: Path) -> None:
    clips, manifest = extracted(film.read_bytes(), LOSSLESS)
    (person,) = manifest.persons
    ours = decode_frames(clips[0].data, person)
    theirs = as_published(film, 12)

    assert [frame.detected for frame in person.frames] == [True] * 10 + [False] * 2
    assert len(theirs) == len(ours)
    errors = [np.abs(a.astype(int) - b).mean() for a, b in zip(ours, theirs, strict=True)]
    assert max(errors) < 1.0


def test_for_training_frames_without_a_face_are_dropped(film: Path) -> None:
    _, manifest = extracted(film.read_bytes(), dataclasses.replace(LOSSLESS, no_face="drop"))
    assert len(manifest.persons[0].frames) == 10


def test_every_kth_frame_is_counted_not_timed(film: Path) -> None:
    spec = dataclasses.replace(LOSSLESS, moments="stride", stride=3, frames=3)
    _, manifest = extracted(film.read_bytes(), spec)
    moments = [frame.time_s for frame in manifest.persons[0].frames]
    assert moments == pytest.approx([0, 3 / 25, 6 / 25])
