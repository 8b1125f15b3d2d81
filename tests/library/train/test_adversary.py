"""One step of an adversary who knows the weights."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from bench.made.film import coded, one_face
from tests.making.bundles import person, window, write_bundle
from unmask.cli import app
from unmask.model.predict import load
from unmask.train.adversary import LEVELS, attacked_person, one_step
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
            "as fake": attacked_person(own, attack, fake=True),
            "as real": attacked_person(own, attack, fake=False),
        }.items()
    }
    assert margins["as fake"] < margins["before"] < margins["as real"]


def test_no_pixel_moves_further_than_it_may(tmp_path: Path) -> None:
    attack = one_step(write_bundle(tmp_path), torch.device("cpu"))
    frames = window(2, seed=3).frames
    gap = attack(frames, True).astype(int) - frames.astype(int)
    assert 0 < np.abs(gap).max() <= LEVELS


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
