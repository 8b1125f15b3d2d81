"""The command that measures what the fast path costs, on a folder of labelled pictures."""

from pathlib import Path
from typing import Any

import cv2
import pytest
import skimage.data

from bench.fast_path import compared
from tests.making.bundles import write_bundle


def test_a_labelled_folder_is_scored_both_ways(tmp_path: Path) -> None:
    untyped: Any = skimage.data
    face = untyped.astronaut()[..., ::-1]
    for label in ("fake", "real"):
        folder = tmp_path / "media" / label
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "face.png"), face)
    (tmp_path / "media" / "real" / "notes.txt").write_text("no picture")
    found = compared(write_bundle(tmp_path / "model"), tmp_path / "media")
    assert found["files"] == 2
    assert (found["auc_fp32"], found["auc_loss"]) == (0.5, 0.0)
    assert 0 <= float(str(found["largest_change"])) < 0.02


def test_a_folder_of_one_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fake").mkdir()
    with pytest.raises(SystemExit, match="fake/ and in real/"):
        compared(write_bundle(tmp_path / "model"), tmp_path)
