"""A shipped model trained on with somebody's own labelled videos."""

import json
from pathlib import Path

from typer.testing import CliRunner

from tests.making.recipes import PAIRS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.model.bundle import open_bundle
from unmask.model.shelf import find_bundle


def test_a_shipped_model_is_trained_on_with_videos(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    rows = listed.read_text().replace("p6,made,validation", "p6,made,test")
    rows = rows.replace("p7,made,validation", "p7,made,test")
    listed.write_text(rows + "broken.mp4,real,p8,made,train\n")
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    short = {"epochs": 1, "batch": 4, "films": 4, "film_frames": 2, "film_epochs": 1}
    (tmp_path / "tiny.json").write_text(json.dumps(PAIRS | short))
    done = CliRunner().invoke(
        app,
        [
            "train", str(listed), "--from", "lite", "--recipe", str(tmp_path / "tiny.json"),
            "--out", str(tmp_path / "run"), "--device", "cpu",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 of 9 items are left out" in done.output
    told = json.loads((tmp_path / "run" / "left-out.json").read_text())
    assert told.keys() == {str(tmp_path / "broken.mp4")}
    bundle = open_bundle(tmp_path / "run" / "bundle")
    assert bundle.spec.digest == find_bundle("lite").spec.digest
    assert bundle.calibration is not None
    assert bundle.calibration.fitted_on == "2 videos of 2 held-out groups"
    measured = CliRunner().invoke(
        app,
        [
            "evaluate", str(listed), "--model", str(bundle.folder), "--no-time", "--device", "cpu",
            "--work", str(tmp_path / "run" / "clips"), "--out", str(tmp_path / "report"),
        ],
    )  # fmt: skip
    assert measured.exit_code == 0, measured.output
    assert "learned from data called list.csv" in measured.output
    assert bundle.description.quality is not None
    assert "test groups, auc" in bundle.description.quality
