"""A model's card: from its description and what was measured of this very model."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from tests.making.bundles import CALIBRATION, THRESHOLDS, write_bundle
from tests.making.figures import whole
from unmask.cli import app
from unmask.model.bundle import Bundle
from unmask.train.page import plain


def trained(folder: Path) -> Bundle:
    terms = {"data": ["faces of nobody"], "recipe": "strong", "terms": "research use only"}
    return write_bundle(
        folder, untrained=False, calibration=CALIBRATION, thresholds=THRESHOLDS, training=terms
    )


def report(folder: Path, digest: str) -> Path:
    found: dict[str, Any] = plain(whole())
    found["model"]["digest"] = digest
    path = folder / "evaluation.json"
    path.write_text(json.dumps(found))
    return path


def run(*arguments: Path) -> Result:
    return CliRunner().invoke(app, ["card", *map(str, arguments)])


def test_it_says_terms_data_figures_and_limits(tmp_path: Path) -> None:
    bundle = trained(tmp_path / "model")
    done = run(bundle.folder, report(tmp_path, bundle.digest))
    assert done.exit_code == 0, done.output
    card = (bundle.folder / "CARD.md").read_text()
    assert "Weights: research use only." in card
    assert "- Data: faces of nobody." in card
    assert "| FaceSwap | 1 | 0.333" in card
    assert "Real items called fake at the default thresholds: 0.333" in card
    assert "Faces smaller than 32 pixels are not judged." in card


def test_figures_of_another_model_are_refused(tmp_path: Path) -> None:
    bundle = trained(tmp_path / "model")
    done = run(bundle.folder, report(tmp_path, "1" * 64))
    assert done.exit_code == 1
    assert "of another model" in done.output
    assert not (bundle.folder / "CARD.md").exists()
