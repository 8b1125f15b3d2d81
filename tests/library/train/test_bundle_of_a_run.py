"""`unmask train` ends in a bundle that scores, is calibrated and can be trained on."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.making.crops import picture, write_crops
from tests.making.recipes import PAIRS
from unmask.cli import app
from unmask.model.bundle import open_bundle
from unmask.model.clips import PersonFrames, Window
from unmask.model.predict import Predictor, load
from unmask.train.curves import CURVES, LINES


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data` and a finished run in `run`."""
    folder = tmp_path_factory.mktemp("trained")
    write_crops(folder / "data", 260)
    recipe = PAIRS | {"epochs": 6, "films": 24, "film_frames": 3, "film_epochs": 2}
    (folder / "tiny.json").write_text(json.dumps(recipe))
    done = run(
        "train", folder / "data", "--out", folder / "run", "--recipe", folder / "tiny.json",
        "--device", "cpu", "--data-name", "pictures of a test", "--terms", "any use",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder


def probabilities(predictor: Predictor, *, fake: bool) -> list[float]:
    found = []
    for seed in range(2001, 2021):
        frame = picture(2 * seed + fake, fake=fake)[None]
        person = PersonFrames(person=0, windows=(Window(0, (0.0,), frame),))
        [[score]] = predictor.score([person])
        assert score.probability is not None
        found.append(score.probability)
    return found


def test_a_run_ends_in_a_bundle_that_tells_fakes_from_reals(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "run" / LINES).read_text().splitlines()]
    assert [line["auc"] for line in lines if "auc" in line][-1] >= 0.95
    assert list((trained / "run" / "curves").glob("events.*"))
    drawn = ElementTree.parse(trained / "run" / CURVES).getroot()
    names = [(text.text or "").rpartition(" ")[0] for text in drawn.findall(".//{*}text")]
    assert {"loss", "validation loss", "auc", "accuracy", "rate"} <= set(names)
    assert len(drawn.findall(".//{*}polyline")) == 5
    bundle = open_bundle(trained / "run" / "bundle")
    said = bundle.description
    assert not said.untrained
    assert said.spec.box == "tight"
    assert said.training is not None
    assert said.training.data == ("pictures of a test",)
    assert said.quality is not None
    assert float(str(said.quality["test groups, auc"])) >= 0.95
    predictor = load(bundle, "cpu")
    predictor.self_test()
    assert np.mean(probabilities(predictor, fake=True)) > 0.75
    assert np.mean(probabilities(predictor, fake=False)) < 0.25


def test_it_is_evaluated_on_groups_it_never_saw(trained: Path, tmp_path: Path) -> None:
    done = run(
        "evaluate", trained / "data", "--model", trained / "run" / "bundle", "--part", "test",
        "--out", tmp_path / "report", "--device", "cpu", "--fit", tmp_path / "fitted",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert found["data"]["real"] == found["data"]["fake"]
    assert found["levels"]["video"]["auc"]["value"] >= 0.95
    assert (tmp_path / "report" / "evaluation.html").is_file()
    fitted, before = open_bundle(tmp_path / "fitted"), open_bundle(trained / "run" / "bundle")
    assert fitted.description.weights == before.description.weights
    assert fitted.calibration != before.calibration


def test_a_bundle_can_be_trained_on(trained: Path, tmp_path: Path) -> None:
    recipe = PAIRS | {"epochs": 1, "rate": 1e-5, "films": 8, "film_frames": 2, "film_epochs": 1}
    (tmp_path / "more.json").write_text(json.dumps(recipe))
    done = run(
        "train", trained / "data", "--out", tmp_path / "run", "--recipe", tmp_path / "more.json",
        "--device", "cpu", "--from", trained / "run" / "bundle",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = open_bundle(tmp_path / "run" / "bundle").description
    assert said.quality is not None
    assert float(str(said.quality["test groups, auc"])) > 0.8


def test_a_pupil_of_a_bundle_ends_in_a_bundle_of_its_own(trained: Path, tmp_path: Path) -> None:
    short = {"epochs": 1, "films": 8, "film_frames": 2, "film_epochs": 1}
    recipe = PAIRS | short | {"teacher": str(trained / "run" / "bundle")}
    (tmp_path / "pupil.json").write_text(json.dumps(recipe))
    done = run(
        "train", trained / "data", "--out", tmp_path / "run", "--recipe", tmp_path / "pupil.json",
        "--device", "cpu",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    load(open_bundle(tmp_path / "run" / "bundle"), "cpu").self_test()


def test_a_recipe_with_another_trunk_refuses_the_bundle(trained: Path, tmp_path: Path) -> None:
    recipe = PAIRS | {"trunk": "resnext50_32x4d"}
    (tmp_path / "other.json").write_text(json.dumps(recipe))
    done = run(
        "train", trained / "data", "--out", tmp_path / "run", "--recipe", tmp_path / "other.json",
        "--device", "cpu", "--from", trained / "run" / "bundle",
    )  # fmt: skip
    assert done.exit_code == 1
    assert "another trunk" in done.output


@pytest.mark.parametrize("asked", ["--lengths", "--robustness"])
def test_crops_have_no_length_and_are_not_damaged(
    trained: Path, tmp_path: Path, asked: str
) -> None:
    done = run(
        "evaluate", trained / "data", "--model", trained / "run" / "bundle", "--device", "cpu",
        "--out", tmp_path / "report", asked,
    )  # fmt: skip
    assert done.exit_code == 1
    assert "measured on videos, not crops" in done.output
    assert not (tmp_path / "report" / "evaluation.json").exists()


def test_a_folder_that_is_no_data_set_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    done = run("evaluate", tmp_path / "holiday", "--model", trained / "run" / "bundle")
    assert done.exit_code == 1
    assert "none of these layouts" in done.output
