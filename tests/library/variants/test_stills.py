"""A compact network for pictures, and the contest that it has to win."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from tests.making.bundles import CALIBRATION, THRESHOLDS, write_bundle
from tests.making.crops import SIDE, write_crops
from tests.making.recipes import PAIRS
from unmask.cli import app
from unmask.model.bundle import Bundle
from unmask.model.trunks import TRUNKS
from unmask.spec import ScanSpec
from unmask.train.bootstrap import Interval
from unmask.train.recipe import find_recipe
from unmask.train.variants.stills import Contest, Stills


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_is_compact() -> None:
    trunk = TRUNKS["compact"].make().eval()
    assert sum(each.numel() for each in trunk.parameters()) < 300_000
    with torch.inference_mode():
        assert trunk(torch.rand(2, 3, 112, 112)).shape == (2, TRUNKS["compact"].features, 7, 7)
    assert find_recipe("stills").trunk == "compact"


def guessing(folder: Path) -> Bundle:
    """A model for videos with weights that mean nothing, and no patience: all are fake to it."""
    return write_bundle(
        folder, name="guess", untrained=False, spec=ScanSpec(size=SIDE).to_json(),
        calibration=CALIBRATION, thresholds=THRESHOLDS | {"real": 0.0, "fake": 0.0},
    )  # fmt: skip


def test_a_trained_one_beats_one_that_guesses(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 260)
    recipe = PAIRS | {
        "name": "little", "trunk": "compact", "epochs": 5, "rate": 0.01, "width": 8, "films": 8,
        "film_frames": 2, "film_epochs": 1,
    }  # fmt: skip
    (tmp_path / "tiny.json").write_text(json.dumps(recipe))
    done = run(
        "train", tmp_path / "data", "--out", tmp_path / "run", "--device", "cpu",
        "--recipe", tmp_path / "tiny.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    guess, trained = guessing(tmp_path / "guess").folder, tmp_path / "run" / "bundle"
    common = ("stills", tmp_path / "data", "--out", tmp_path / "out", "--device", "cpu")
    won = run(*common, "--model", guess, "--still-model", trained)
    assert won.exit_code == 0, won.output
    assert "stills are better judged by little" in won.output
    said = json.loads((tmp_path / "out" / "stills.json").read_text())
    assert said["still"]["auc"]["value"] > said["video"]["auc"]["value"]
    assert list((tmp_path / "out" / "cache").glob("crops-*.npy"))
    lost = run(*common, "--model", trained, "--still-model", guess)
    assert "stills are better judged by little" in lost.output


def worth(alarms: float) -> Stills:
    return Stills(auc=Interval(0.9, 0.8, 0.95), false_alarms=Interval(alarms, None, None))


@pytest.mark.parametrize(
    ("gained", "alarms", "wins"),
    [
        (Interval(0.03, 0.01, 0.05), 0.01, True),
        (Interval(0.03, 0.01, 0.05), 0.02, False),
        (Interval(0.03, -0.01, 0.05), 0.0, False),
        (Interval(0.03, None, None), 0.0, False),
    ],
)
def test_a_gain_within_chance_or_bought_with_alarms_is_none(
    gained: Interval, alarms: float, wins: bool
) -> None:
    found = Contest(pictures=9, video=worth(0.01), still=worth(alarms), gained=gained)
    assert found.still_wins == wins
