"""The papers' preprocessing, against a plain re-telling of it with OpenCV and dlib."""

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bench.made.faces import astronaut
from bench.made.film import backdrop, coded, one_face
from tests.making.extracted import extracted
from tests.making.shown import apart
from unmask.media import decode_frames
from unmask.media.coding import decode, encode
from unmask.media.faces import detector
from unmask.spec import PAPERS, PAPERS_TRAINING

SHORT = dataclasses.replace(PAPERS, frames=12)


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
    clips, manifest = extracted(film.read_bytes(), SHORT)
    (person,) = manifest.persons
    ours = decode_frames(clips[0].data, person)
    theirs = as_published(film, 12)

    assert [frame.detected for frame in person.frames] == [True] * 10 + [False] * 2
    assert len(theirs) == len(ours)
    errors = [np.abs(a.astype(int) - b).mean() for a, b in zip(ours, theirs, strict=True)]
    assert max(errors) < 1.0


def test_for_training_frames_without_a_face_are_dropped(film: Path) -> None:
    _, manifest = extracted(film.read_bytes(), dataclasses.replace(SHORT, no_face="drop"))
    assert len(manifest.persons[0].frames) == 10


def test_a_frame_without_a_face_is_cut_where_the_last_one_was(tmp_path: Path) -> None:
    """As training clips were made; before the first face there is nothing to cut."""
    shown = one_face(4, lambda i: (150 + 4 * i, 120), size=(320, 240)).pictures
    path = tmp_path / "film.mp4"
    path.write_bytes(coded([*[backdrop(320, 240)] * 2, *shown, *[backdrop(320, 240)] * 3]))
    spec = dataclasses.replace(SHORT, no_face="last_box")
    _, manifest = extracted(path.read_bytes(), spec)

    (person,) = manifest.persons
    assert [frame.detected for frame in person.frames] == [True] * 4 + [False] * 3
    assert {frame.box for frame in person.frames[3:]} == {person.frames[3].box}


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(1, 2)])
def test_boxes_are_told_in_the_picture_as_shown(film: Path, ratio: Fraction) -> None:
    """The cut stays as published: of pixels as they are coded."""

    def flatten(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = ratio

    shown = one_face(10, lambda i: (150 + 4 * i, 120), size=(320, 240)).pictures
    data = coded([*shown, *[backdrop(320, 240)] * 4], change=flatten)
    clips, manifest = extracted(data, SHORT)
    plain_clips, plain = extracted(film.read_bytes(), SHORT)
    wide, high = manifest.media.width / 320, manifest.media.height / 240

    assert (wide, high) == ((2, 1) if ratio > 1 else (1, 2))
    assert clips[0].data == plain_clips[0].data
    for frame, square in zip(manifest.persons[0].frames, plain.persons[0].frames, strict=True):
        box, coded_box = frame.box, square.box
        assert (box.x, box.width) == (coded_box.x * wide, coded_box.width * wide)
        assert (box.y, box.height) == (coded_box.y * high, coded_box.height * high)


def test_training_clips_are_coded_as_opencvs_writer_codes_them(tmp_path: Path) -> None:
    faces = [
        np.ascontiguousarray(cv2.resize(astronaut()[40 + i : 220 + i, 140:300], (112, 112)))
        for i in range(20)
    ]
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (112, 112))
    for face in faces:
        writer.write(cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
    writer.release()
    reader, theirs = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        theirs.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))

    assert PAPERS_TRAINING.coding == "mjpg"
    ours = [decode(encode(np.asarray(face, np.uint8), "mjpg")) for face in faces]
    for face, mine, other in zip(faces, ours, theirs, strict=True):
        assert mine is not None
        assert apart(mine, other) < 1.5
        assert apart(mine, face) == pytest.approx(apart(other, face), abs=0.3)


def test_every_kth_frame_is_counted_not_timed(film: Path) -> None:
    spec = dataclasses.replace(SHORT, moments="stride", stride=3, frames=3)
    _, manifest = extracted(film.read_bytes(), spec)
    moments = [frame.time_s for frame in manifest.persons[0].frames]
    assert moments == pytest.approx([0, 3 / 25, 6 / 25])
