"""One step of an adversary who knows the weights."""

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from bench.made.film import coded, one_face
from tests.making.bundles import person, window, write_bundle
from unmask.cli import app
from unmask.model.bundle import Bundle
from unmask.model.clips import PersonFrames
from unmask.model.description import Look
from unmask.model.looks import seen
from unmask.model.predict import load
from unmask.model.write import with_opinion
from unmask.train.adversary import LEVELS, _seen, one_step
from unmask.train.robust import lit, noisy


@pytest.mark.parametrize(("recurrence", "classes"), [("time", "fake,real"), ("frame", "real,fake")])
def test_a_step_lowers_fakes_and_raises_reals(
    tmp_path: Path, recurrence: str, classes: str
) -> None:
    built = {"trunk": "mobilenet_v2", "width": 32, "recurrence": recurrence}
    bundle = write_bundle(tmp_path, architecture=built, classes=classes)
    attack = one_step(bundle, torch.device("cpu"), levels=1)
    own = person(window(3, seed=7))
    margins = {
        name: load(bundle, "cpu", "fp32").margins(list(some.windows))[0].window
        for name, some in {
            "before": own,
            "as fake": attack(own, True),
            "as real": attack(own, False),
        }.items()
    }
    assert margins["as fake"] < margins["before"] < margins["as real"]


def test_no_pixel_moves_further_than_it_may(tmp_path: Path) -> None:
    attack = one_step(write_bundle(tmp_path), torch.device("cpu"))
    own = person(window(2, seed=3))
    gap = attack(own, True).windows[0].frames.astype(int) - own.windows[0].frames.astype(int)
    assert 0 < np.abs(gap).max() <= LEVELS


LOOKS: list[dict[str, Any]] = [{"mirrored": True}, {"mirrored": True, "closer": 0.0625}]


def falls_to_all_that_judge(clip: PersonFrames, both: Bundle, first: Bundle) -> None:
    """A step against all of them moves it either way, and farther than one against the first."""
    judge = load(both, "cpu", "fp32")

    def said(some: PersonFrames) -> float:
        [[score]] = judge.score([some])
        return math.log(score.raw / (1 - score.raw))

    all_of_them, one = (one_step(each, torch.device("cpu"), 1) for each in (both, first))
    assert said(all_of_them(clip, True)) < said(clip) < said(all_of_them(clip, False))
    assert said(all_of_them(clip, True)) < said(one(clip, True))


def test_a_picture_is_moved_against_everything_that_judges_it(tmp_path: Path) -> None:
    """A second network that counts nine tenths, and looks of which most are mirrored."""
    first = write_bundle(tmp_path / "first", untrained=False, looks=LOOKS)
    other = write_bundle(
        tmp_path / "other",
        architecture={"trunk": "efficientnet_lite0", "width": 8},
        weights={"encoding": "seeded", "seed": 11},
    )
    both = with_opinion(
        tmp_path / "both", first, other, on=["pictures"], share=0.9, encoding="fp32"
    )
    falls_to_all_that_judge(person(window(1, seed=3)), both, first)


@pytest.mark.parametrize("look", LOOKS)
def test_a_slope_goes_through_what_the_model_sees(look: dict[str, Any]) -> None:
    frames = cv2.GaussianBlur(window(1, seed=3, size=48).frames[0], (0, 0), 2)[None]
    wanted = seen(frames, Look(**look)).astype(float)
    found = _seen(torch.from_numpy(frames).float(), Look(**look)).numpy()
    assert np.abs(found - wanted).max() <= 1


def test_a_film_is_moved_against_its_own_network_alone(tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "first", untrained=False, looks=LOOKS)
    other = write_bundle(
        tmp_path / "other", architecture={"trunk": "efficientnet_lite0", "width": 8}
    )
    both = with_opinion(
        tmp_path / "both", first, other, on=["pictures"], share=0.9, encoding="fp32"
    )
    film = person(window(2, seed=3))
    moved = [one_step(each, torch.device("cpu"))(film, True) for each in (both, first)]
    assert np.array_equal(moved[0].windows[0].frames, moved[1].windows[0].frames)


def test_a_film_is_moved_against_all_that_are_asked_about_films(tmp_path: Path) -> None:
    """Against the one that sees light alone most of all, as its word counts most."""
    first = write_bundle(tmp_path / "first", untrained=False)
    grey = write_bundle(
        tmp_path / "grey",
        colours="grey",
        architecture={"trunk": "compact", "width": 8},
        weights={"encoding": "seeded", "seed": 5},
    )
    both = with_opinion(tmp_path / "both", first, grey, on=["films"], share=0.9, encoding="fp32")
    falls_to_all_that_judge(person(window(2, seed=3)), both, first)


def test_noise_and_light_do_what_their_names_say() -> None:
    grey = np.full((2, 40, 40, 3), 120, np.uint8)
    assert noisy(8.0)(grey).std() == pytest.approx(8.0, rel=0.1)
    assert (noisy(8.0)(grey)[0] != noisy(8.0)(grey)[1]).any()
    assert lit(0.6)(grey).mean() == pytest.approx(72)
    assert lit(1.4)(np.full_like(grey, 200)).max() == 255
    halves = np.array([[[[20, 127, 235]]]], np.uint8)
    assert lit(1.0, 0.5)(halves).ravel().tolist() == pytest.approx([74, 127, 181], abs=1)


def _still_place(start: float, frame: int) -> tuple[float, float]:
    return start, 180.0


def test_the_tables_stand_in_the_report(tmp_path: Path) -> None:
    for number in range(2):
        folder = tmp_path / "data" / ("fake" if number % 2 else "real")
        folder.mkdir(parents=True, exist_ok=True)
        scene = one_face(12, partial(_still_place, 250.0 + 9 * number), size=(480, 360))
        (folder / f"{number}.mp4").write_bytes(coded(scene.pictures))
    write_bundle(tmp_path / "model")
    done = CliRunner().invoke(
        app,
        [
            "evaluate", str(tmp_path / "data"), "--model", str(tmp_path / "model"), "--out",
            str(tmp_path / "out"), "--lengths", "--robustness", "--no-time", "--device", "cpu",
            "--faces",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    mistakes = [one["source"] for one in found["worst mistakes"]]
    assert mistakes
    assert set(mistakes) <= {str(path) for path in (tmp_path / "data").glob("*/*.mp4")}
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert page.count('src="data:image/jpeg') == len(mistakes)
    # A film of twelve frames has no window of twenty.
    assert list(found["by length"]) == ["10"]
    assert {"value", "low", "high"} == found["by length"]["10"]["accuracy"].keys()
    assert "windows of 10: videos 2, windows 4, accuracy" in done.output
    assert "<td>4</td>" in page
    assert found["robustness"].keys() >= {
        "noise of 8 levels", "darker by 40 %", "brighter by 40 %", "half the contrast",
        "adversary, one step of 2 levels",
    }  # fmt: skip
