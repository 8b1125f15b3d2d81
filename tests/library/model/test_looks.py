"""A picture is looked at several times, a film once."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.making.bundles import person, window, write_bundle
from unmask.model.bundle import BadBundle
from unmask.model.clips import PersonFrames, Window
from unmask.model.predict import Predictor, load

LOOKS: list[dict[str, Any]] = [
    {"mirrored": True},
    {"closer": 0.0625},
    {"mirrored": True, "closer": 0.0625},
]


GAIN = 1.25


def of(folder: Path, looks: list[dict[str, Any]]) -> Predictor:
    return load(write_bundle(folder, looks=looks, looks_gain=GAIN), "cpu", "fp32")


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return of(tmp_path_factory.mktemp("looking"), LOOKS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return of(tmp_path_factory.mktemp("plain"), [])


def margin(predictor: Predictor, clip: PersonFrames) -> float:
    [[score]] = predictor.score([clip])
    return float(np.log(score.raw / (1 - score.raw)))


def mirrored(clip: Window) -> Window:
    return clip._replace(frames=np.ascontiguousarray(clip.frames[:, :, ::-1]))


def test_a_picture_scores_the_mean_of_its_looks(looking: Predictor, plain: Predictor) -> None:
    clip = window(1, seed=3)
    nearer = clip._replace(frames=np.stack([_enlarged(clip.frames[0], cut=7)]))
    looks = [clip, mirrored(clip), nearer, mirrored(nearer)]
    alone = [margin(plain, person(each)) for each in looks]
    assert len(set(alone)) == len(alone)
    wanted = GAIN * float(np.mean(alone))
    assert margin(looking, person(clip)) == pytest.approx(wanted, abs=1e-3)


def test_a_picture_and_its_mirror_image_score_alike(looking: Predictor, plain: Predictor) -> None:
    clip = window(1, seed=5)
    assert margin(plain, person(clip)) != pytest.approx(
        margin(plain, person(mirrored(clip))), abs=1e-3
    )
    assert margin(looking, person(clip)) == pytest.approx(
        margin(looking, person(mirrored(clip))), abs=1e-4
    )


def test_a_film_is_looked_at_once(looking: Predictor, plain: Predictor) -> None:
    films = [person(window(2, 1)), person(window(1, 2), window(1, 3, number=1))]
    for film in films:
        once, found = plain.score([film])[0], looking.score([film])[0]
        assert [score.raw for score in found] == pytest.approx([score.raw for score in once])


def test_pictures_and_films_keep_their_scores_among_each_other(looking: Predictor) -> None:
    clips = [person(window(1, 1)), person(window(4, 2), window(3, 3)), person(window(1, 4))]
    together = looking.score(clips)
    for clip, found in zip(clips, together, strict=True):
        [alone] = looking.score([clip])
        assert [one.raw for one in found] == pytest.approx([one.raw for one in alone], abs=1e-4)
        assert [one.frames for one in found] == [len(each.frames) for each in clip.windows]


def test_a_look_that_leaves_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"looks.*closer"):
        write_bundle(tmp_path, looks=[{"closer": 0.3}])


def _enlarged(frame: "np.ndarray[Any, np.dtype[np.uint8]]", cut: int) -> Any:
    inner = frame[cut:-cut, cut:-cut]
    return cv2.resize(inner, frame.shape[:2], interpolation=cv2.INTER_CUBIC)
