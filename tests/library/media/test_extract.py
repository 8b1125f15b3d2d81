"""From a file to clips, on videos of known truth."""

import hashlib
import io
import math
import os
import re

import cv2
import numpy as np
import pytest

from bench.made.boxes import EVERY_FRAME, face_square, squared
from bench.made.faces import astronaut
from bench.made.film import backdrop, coded, one_face
from tests.making.extracted import extracted
from unmask.errors import Refused
from unmask.media import decode_frames, extract, read_manifest, warm
from unmask.media.geometry import iou
from unmask.media.values import Limits
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec


def test_a_face_on_a_path_is_followed_frame_by_frame() -> None:
    scene = one_face(60, lambda i: (150 + 5 * i, 180 + 40 * math.sin(i / 8)))
    clips, manifest = extracted(coded(scene.pictures))

    (person,) = manifest.persons
    assert len(person.frames) == 60
    assert [frame.time_s for frame in person.frames] == pytest.approx([i / 25 for i in range(60)])
    overlaps = [
        iou(face_square(frame, EVERY_FRAME), squared(faces["astronaut"]))
        for frame, faces in zip(person.frames, scene.faces, strict=True)
    ]
    assert np.quantile(overlaps, 0.05) >= 0.7
    assert not all(frame.detected for frame in person.frames)
    assert decode_frames(clips[0].data, person).shape == (60, 112, 112, 3)
    assert hashlib.sha256(clips[0].data).hexdigest() == person.clip_sha256


def test_a_long_video_gives_windows_spread_over_it() -> None:
    scene = one_face(250, lambda i: (200 + i / 2, 180))
    _, manifest = extracted(coded(scene.pictures), ScanSpec(windows=3))

    (person,) = manifest.persons
    assert {frame.window for frame in person.frames} == {0, 1, 2}
    assert len(person.frames) == 60


def test_a_picture_is_a_video_of_one_frame() -> None:
    data = cv2.imencode(".jpg", cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))[1]
    _, manifest = extracted(data.tobytes(), ScanSpec())

    assert manifest.media.kind == "picture"
    (person,) = manifest.persons
    assert len(person.frames) == 1


def test_nobody_is_an_answer() -> None:
    clips, manifest = extracted(coded([backdrop(320, 240)] * 10), ScanSpec())

    assert not clips
    assert manifest.outcome is Outcome.NO_FACE
    assert read_manifest(manifest.to_bytes()) == manifest


def test_a_small_face_is_told_with_its_size() -> None:
    scene = one_face(10, lambda _: (320, 180), side=lambda _: 40)
    _, manifest = extracted(coded(scene.pictures), ScanSpec(min_face_px=80))

    assert manifest.outcome is Outcome.TOO_SMALL
    told = re.fullmatch(r"the largest face has (\d+) pixels, 80 are needed", manifest.reason)
    assert told
    assert 30 <= int(told[1]) <= 50, "it is drawn 40 wide"


@pytest.mark.parametrize("data", [b"", b"hello, I am a text", bytes(5000)])
def test_what_is_no_media_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        extracted(data)
    assert refusal.value.outcome is Outcome.NOT_MEDIA


def test_it_works_in_a_forked_child_of_a_warm_parent() -> None:
    data = coded(one_face(30, lambda i: (200 + i, 180)).pictures)
    warm()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            clips = list(extract(io.BytesIO(data), ScanSpec(), Limits()))
            os.write(writing, str(len(clips)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"2"
    os.waitpid(child, 0)
