"""Recipes that learn from clips of videos: from labelled files to a bundle."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.model.bundle import open_bundle
from unmask.train.crops import BadData
from unmask.train.recipe import find_recipe
from unmask.train.sets.item import Item
from unmask.train.splits import Shares
from unmask.train.start_clips import clips_spec, sides


def test_from_videos_to_a_bundle(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps(CLIPS))
    done = CliRunner().invoke(
        app,
        [
            "train", str(listed), "--out", str(tmp_path / "run"), "--device", "cpu",
            "--recipe", str(tmp_path / "tiny.json"), "--data-name", "a list",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = open_bundle(tmp_path / "run" / "bundle").description
    assert said.architecture.mode == "temporal"
    assert said.spec.frames == 3
    assert said.calibration is not None
    assert said.calibration.fitted_on == "4 held-out videos"


def item(name: str, *identities: str, fake: bool, part: str | None = None) -> Item:
    method = "made" if fake else "real"
    return Item(path=Path(name), fake=fake, identities=identities, method=method, part=part)


def test_whoever_shares_an_identity_shares_a_side() -> None:
    items = [item(f"{i}.mp4", f"p{i}", fake=False) for i in range(60)]
    items += [item(f"{i}_{i + 1}.mp4", f"p{i}", f"p{i + 1}", fake=True) for i in range(0, 60, 2)]
    found = sides(items, Shares(validation=0.2, test=0.2))
    people = {part: {p for i in some for p in i.identities} for part, some in found.items()}
    assert sum(len(some) for some in found.values()) == 90
    assert not people["train"] & people["test"]
    assert not people["train"] & people["validation"]


def test_parts_that_share_somebody_are_a_leak() -> None:
    items = [
        item("a.mp4", "ann", fake=False, part="train"),
        item("b.mp4", "ann", "bea", fake=True, part="test"),
        item("c.mp4", "bea", fake=False, part="test"),
    ]
    with pytest.raises(BadData, match="split leak"):
        sides(items, Shares())


def test_the_papers_clips_are_cut_the_papers_way() -> None:
    spec = clips_spec(find_recipe("papers"))
    assert (spec.box, spec.moments, spec.frames, spec.no_face) == ("squash", "first", 150, "drop")
    assert np.isclose(spec.margin, 0.0)
