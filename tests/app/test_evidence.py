"""What is stored for a reviewer: a face for every segment, heat for suspects only."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from infra.objects import FolderStore
from schemas.records import CampaignOptions
from schemas.stages import Stage
from tasks.evidence import WARM_WINDOWS, Judged, Where, store_evidence, warm_faces
from tasks.load import Loaded
from tests.making.bundles import CALIBRATION, THRESHOLDS, write_bundle
from tests.making.claims import a_claim
from tests.making.frames import a_frame
from tests.making.scores import a_score
from unmask.media.clips import make_clip
from unmask.media.coding import encode
from unmask.media.sides import JPEG
from unmask.media.values import Manifest, MediaInfo, Person
from unmask.model.bundle import Bundle
from unmask.model.clips import PersonFrames
from unmask.model.heat import HeatMap, Warmed
from unmask.model.persons import person_frames
from unmask.spec import Coding
from unmask.verdict import WindowScore, judge

WINDOWS, FRAMES = 5, 4
WHERE = Where(sha256="ab" * 32, spec_digest="ef" * 8, model_digest="cd" * 32)


@dataclass
class FakePredictor:
    """Everything is hot in the upper left corner."""

    bundle: Bundle
    device = "cpu"
    asked: list[list[float]] = field(default_factory=list)

    def score(
        self, clips: Sequence[PersonFrames], deadline: Callable[[], None]
    ) -> list[list[WindowScore]]:
        raise AssertionError("scored already")

    def heat(self, wanted: Sequence[Warmed], deadline: Callable[[], None]) -> list[list[HeatMap]]:
        self.asked += [[each.window.times[at] for at in each.frames] for each in wanted]
        corner = np.zeros((4, 4), np.float32)
        corner[0, 0] = 1
        return [[corner for _ in each.frames] for each in wanted]


@pytest.fixture
def trained(tmp_path: Path) -> Bundle:
    return write_bundle(
        tmp_path / "model", untrained=False, calibration=CALIBRATION, thresholds=THRESHOLDS
    )


def shade(person: int, number: int) -> int:
    """Another one for everybody and every frame."""
    return 40 + 90 * person + 4 * number


def face(person: int, number: int, coding: str) -> bytes:
    return encode(np.full((112, 112, 3), shade(person, number), np.uint8), coding)


def clip_of(person: int, coding: str) -> tuple[bytes, Person]:
    frames = [
        (
            a_frame(window=number // FRAMES, time_s=number * 0.5),
            face(person, number, coding),
        )
        for number in range(WINDOWS * FRAMES)
    ]
    clip, page = make_clip(person, frames)
    return clip.data, page


def judged(bundle: Bundle, *raws: Sequence[float], coding: str = "qoi") -> Judged:
    """An item with one person for each row of window scores; its third frame tells most."""
    clips = [clip_of(person, coding) for person in range(len(raws))]
    manifest = Manifest(
        media=MediaInfo(kind="video", container="mp4", codec="h264", width=64, height=64),
        spec_digest=bundle.spec.digest,
        size=112,
        persons=tuple(page for _, page in clips),
    )
    people = tuple(person_frames(page, data, 112) for data, page in clips)
    scores = [
        [score(one, number, raw) for number, raw in enumerate(row)]
        for one, row in zip(people, raws, strict=True)
    ]
    flat = [each for row in scores for each in row]
    options = CampaignOptions(
        name="one", model=bundle.name, model_digest=bundle.digest, spec=bundle.spec
    )
    loaded = Loaded(
        claim=a_claim(stage=Stage.CLASSIFYING, options=options),
        manifest=manifest,
        clips={page.person: data for data, page in clips},
        persons=people,
    )
    return Judged(loaded=loaded, scores=scores, verdict=judge(flat, bundle.judgement))


def score(one: PersonFrames, number: int, raw: float) -> WindowScore:
    telling_s = one.windows[number].times[2]
    frame_scores = (0.1, 0.2, 0.912345, 0.3)
    return replace(a_score(one, number, raw), frame_scores=frame_scores, telling_s=telling_s)


def in_time() -> None:
    """No deadline."""


def test_only_the_most_suspicious_stretches_of_suspects_are_warmed(trained: Bundle) -> None:
    predictor = FakePredictor(trained)
    calm, suspect = [0.0001] * WINDOWS, [0.999, 0.9999, 0.2, 0.998, 0.1]
    [warm] = warm_faces(predictor, [judged(trained, calm, suspect)], in_time)
    assert warm.keys() == {(1, 0), (1, 1), (1, 3)}
    assert len(warm) == WARM_WINDOWS
    assert predictor.asked == [[1.0], [3.0], [7.0]]


def test_a_model_that_may_not_judge_suspects_nobody(tmp_path: Path) -> None:
    untrained = write_bundle(tmp_path / "model")
    predictor = FakePredictor(untrained)
    assert warm_faces(predictor, [judged(untrained, [0.9] * WINDOWS)], in_time) == [{}]
    assert predictor.asked == []


@pytest.mark.parametrize("coding", get_args(Coding))
def test_the_pictures_are_stored_and_named_where_they_belong(
    trained: Bundle, tmp_path: Path, coding: str
) -> None:
    """As what a browser shows, however the clips are coded."""
    store = FolderStore(tmp_path / "objects")
    one = judged(trained, [0.999] * WINDOWS, coding=coding)
    [warm] = warm_faces(FakePredictor(trained), [one], in_time)
    verdict, stored = store_evidence(store, one, warm, WHERE)
    segments = verdict.persons[0].segments
    assert len(stored) == WINDOWS + WARM_WINDOWS
    for number, segment in enumerate(segments):
        assert segment.evidence is not None
        told = read(store, segment.evidence)
        assert told.startswith(JPEG)
        assert abs(picture(told).astype(int) - shade(0, FRAMES * number + 2)).max() < 4
    hot = [segment for segment in segments if segment.heat]
    assert [segment.frame_scores for segment in hot] == [(0.1, 0.2, 0.912, 0.3)] * WARM_WINDOWS
    assert all(segment.frame_scores == () for segment in segments if not segment.heat)
    shown = picture(read(store, hot[0].heat or ""))
    assert shown.shape == (112, 112, 3)
    assert abs(shown[100, 100].astype(int) - shade(0, 2)).max() < 4
    assert abs(shown[5, 5].astype(int) - shade(0, 2)).max() > 40


def read(store: FolderStore, key: str) -> bytes:
    digest = key.rpartition("-")[2].removesuffix(".jpg")
    data = store.get(key, sha256=digest)
    assert hashlib.sha256(data).hexdigest() == digest
    return data


def picture(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert found is not None
    return np.asarray(found, dtype=np.uint8)
