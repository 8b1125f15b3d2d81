"""Scores belong to their windows, whatever else is in the batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.making.bundles import CALIBRATION, person, window, write_bundle
from unmask.model.clips import BadClip, PersonFrames, Window
from unmask.model.predict import Predictor, build, load

TEMPORAL: dict[str, Any] = {"trunk": "mobilenet_v2", "width": 32, "pooling": "mean"}


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    bundle = write_bundle(tmp_path_factory.mktemp("tiny"), architecture=TEMPORAL)
    return load(bundle, "cpu", "fp32")


def raws(predictor: Predictor, clips: list[PersonFrames]) -> list[list[float]]:
    return [[score.raw for score in scores] for scores in predictor.score(clips)]


@pytest.mark.parametrize("trunk", ["mobilenet_v2", "efficientnet_lite0"])
def test_agrees_with_the_plain_network(tmp_path: Path, trunk: str) -> None:
    """The fast path against the module as it is trained, on one window alone."""
    bundle = write_bundle(tmp_path, architecture=TEMPORAL | {"trunk": trunk})
    predictor = load(bundle, "cpu", "fp32")
    clip = window(9, seed=1)
    network = build(predictor.bundle)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pictures = (torch.from_numpy(clip.frames) / 255 - mean) / deviation
    logits = network(pictures.permute(0, 3, 1, 2)[None])[0]
    assert predictor.margins([clip])[0].window == pytest.approx(
        float(logits[0] - logits[1]), abs=1e-4
    )


def test_scores_come_back_where_they_belong(predictor: Predictor) -> None:
    clips = [
        person(window(3, 1, number=4), window(12, 2, number=7), number=2),
        person(window(6, 3, number=0), number=5),
    ]
    scores = predictor.score(clips)
    assert [[(s.person, s.window, s.frames) for s in each] for each in scores] == [
        [(2, 4, 3), (2, 7, 12)],
        [(5, 0, 6)],
    ]
    assert scores[0][1].end_s == pytest.approx(0.44)
    assert len(scores[0][1].frame_scores) == 12
    assert all(score.probability is None for each in scores for score in each)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lengths=st.lists(st.integers(1, 24), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_batch_mates_and_order_change_nothing(
    predictor: Predictor, lengths: list[int], seed: int
) -> None:
    clips = [person(window(length, seed + i)) for i, length in enumerate(lengths)]
    alone = [raws(predictor, [clip])[0] for clip in clips]
    assert raws(predictor, clips) == [pytest.approx(score, abs=1e-4) for score in alone]
    backwards = raws(predictor, clips[::-1])[::-1]
    assert backwards == [pytest.approx(score, abs=1e-4) for score in alone]


@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
def test_every_early_frame_moves_the_score(tmp_path: Path, pooling: str) -> None:
    bundle = write_bundle(tmp_path, architecture=TEMPORAL | {"pooling": pooling})
    predictor = load(bundle, "cpu", "fp32")
    clip = window(6, seed=3)
    before = predictor.margins([clip])[0].window
    for frame in range(5):
        frames = clip.frames.copy()
        frames[frame] = 255 - frames[frame]
        after = predictor.margins([clip._replace(frames=frames)])[0].window
        assert abs(after - before) > 1e-5, f"frame {frame} was not seen"


def test_order_in_time_matters(predictor: Predictor) -> None:
    clip = window(8, seed=4)
    backwards = clip._replace(frames=clip.frames[::-1].copy())
    forward, reverse = predictor.margins([clip, backwards])
    assert abs(forward.window - reverse.window) > 1e-5


def test_bf16_gives_nearly_the_same(predictor: Predictor) -> None:
    fast = load(predictor.bundle, "cpu", "bf16")
    clips = [person(window(10, seed)) for seed in range(4)]
    assert np.ravel(raws(fast, clips)) == pytest.approx(np.ravel(raws(predictor, clips)), abs=0.02)


def test_calibrated_bundle_gives_probabilities(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, untrained=False, calibration=CALIBRATION)
    [[score]] = load(bundle, "cpu", "fp32").score([person(window(4, 1))])
    odds = score.raw / (1 - score.raw)
    assert score.probability == pytest.approx(odds**0.5 / (1 + odds**0.5))


def test_class_order_is_the_bundles(tmp_path: Path) -> None:
    scores = [
        load(write_bundle(tmp_path / order, classes=order), "cpu", "fp32")
        .score([person(window(4, 1))])[0][0]
        .raw
        for order in ("fake,real", "real,fake")
    ]
    assert scores[0] + scores[1] == pytest.approx(1)


def test_colour_order_is_the_bundles(tmp_path: Path) -> None:
    """A BGR model sees in blue what an RGB model sees in red, with the same normalisation."""
    clip = window(4, 1)
    swapped = clip._replace(frames=clip.frames[..., ::-1].copy())
    rgb = load(write_bundle(tmp_path / "rgb"), "cpu", "fp32").margins([swapped])[0]
    bgr = load(write_bundle(tmp_path / "bgr", colours="bgr"), "cpu", "fp32").margins([clip])[0]
    assert bgr.window == pytest.approx(rgb.window, abs=1e-5)


def test_nothing_in_nothing_out(predictor: Predictor) -> None:
    assert predictor.score([]) == []
    assert predictor.score([person()]) == [[]]


def test_deadline_stops_between_batches(predictor: Predictor) -> None:
    calls: list[int] = []

    def deadline() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise TimeoutError("out of time")

    with pytest.raises(TimeoutError):
        predictor.score([person(window(80, 1))], deadline)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("frames", "times", "word"),
    [
        (np.zeros((0, 112, 112, 3), np.uint8), (), "no frames"),
        (np.zeros((2, 112, 112, 3), np.float32), (0.0, 0.1), "float32"),
        (np.zeros((2, 112, 112), np.uint8), (0.0, 0.1), "not"),
        (np.zeros((2, 112, 112, 3), np.uint8), (0.0,), "2 frames but 1 times"),
    ],
)
def test_odd_clips_are_refused(frames: Any, times: tuple[float, ...], word: str) -> None:
    with pytest.raises(BadClip, match=word) as refusal:
        person(Window(3, times, frames), number=1)
    assert "person 2, window 4" in str(refusal.value)


def test_a_clip_of_another_size_is_refused(predictor: Predictor) -> None:
    with pytest.raises(BadClip, match="64x64, the model takes 112x112"):
        predictor.score([person(window(2, 1, size=64))])
