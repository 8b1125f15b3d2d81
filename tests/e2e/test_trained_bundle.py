"""What a training leaves is what the real workers serve."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Bench, results
from tests.making.crops import write_crops
from tests.making.recipes import PAIRS
from unmask.media.values import Limits
from unmask.model.bundle import open_bundle
from unmask.model.predict import load
from unmask.scan import scan_file

PICTURE = ROOT / "samples" / "picture.jpg"


@pytest.mark.timeout(600)
def test_a_trained_bundle_is_served_by_the_real_worker(local: Bench, tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 60)
    recipe = PAIRS | {"epochs": 1, "films": 8, "film_frames": 2, "film_epochs": 1}
    (tmp_path / "tiny.json").write_text(json.dumps(recipe))
    subprocess.run(
        [
            sys.executable, "-m", "unmask", "train", str(tmp_path / "data"), "--device", "cpu",
            "--out", str(tmp_path / "run"), "--recipe", str(tmp_path / "tiny.json"),
        ],
        cwd=ROOT, check=True, timeout=300,
    )  # fmt: skip
    shutil.copytree(tmp_path / "run" / "bundle", tmp_path / "shelf" / "tiny")
    bundle = open_bundle(tmp_path / "shelf" / "tiny")
    bench = Bench(folder=local.folder, extra={"UNMASK_MODELS_DIR": str(tmp_path / "shelf")})
    done = bench.scan(PICTURE, "--model", "tiny")
    assert done.returncode == 0, done.stderr
    [row] = results(bench)
    assert row["model_digest"] == bundle.digest
    alone = scan_file(PICTURE, load(bundle, "cpu"), bundle.spec, Limits())
    assert alone.verdict is not None
    assert row["outcome"] == alone.outcome
    assert row["probability"] == pytest.approx(alone.verdict.probability, abs=0.02)
