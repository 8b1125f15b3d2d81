"""Cross-validation by people: nobody is scored by a model that saw them."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.making.crops import picture
from tests.making.recipes import PAIRS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.spec import ScanSpec
from unmask.train.crops import BadData
from unmask.train.crossing import folds_of, scored_by_folds
from unmask.train.metrics import auc
from unmask.train.recipe import read_recipe
from unmask.train.sets.item import Item
from unmask.train.start import Job
from unmask.train.videos import Videos, gathered

PEOPLE, FRAMES = 16, 4


def videos() -> Videos:
    """A real and a fake video of each person, of a few frames each."""
    frames = {}
    for person in range(PEOPLE):
        for fake in (False, True):
            item = Item(
                path=Path(f"{person}-{fake}.mp4"),
                fake=fake,
                identities=(f"p{person}",),
                method="patch" if fake else "real",
            )
            seeds = range(20 * person, 20 * person + 2 * FRAMES, 2)
            frames[item] = np.stack([picture(seed + fake, fake=fake) for seed in seeds])
    return gathered(frames)


def test_each_video_is_scored_once_by_a_model_of_other_people(tmp_path: Path) -> None:
    recipe = read_recipe(json.dumps(PAIRS | {"epochs": 8}).encode(), "tiny")
    job = Job(data=tmp_path, folder=tmp_path / "run", recipe=recipe, origin="lite", device="cpu")
    found = videos()
    scored = list(scored_by_folds(job, ScanSpec(size=48), found, 2))
    assert sorted(each.name for each in scored) == sorted(item.name for item in found.items)
    assert auc([each.score for each in scored], [each.fake for each in scored]) >= 0.8


def test_a_group_stands_in_one_fold() -> None:
    crops = videos().crops
    sides = [{crops.groups[row] for row in rows} for rows in folds_of(crops, 5)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == PEOPLE


def test_a_fold_of_one_class_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    frames = {
        Item(
            path=Path(f"{n}.mp4"),
            fake=n < 3,
            identities=(f"p{n}",),
            method="x" if n < 3 else "real",
        ): picture(n, fake=n < 3)[None]
        for n in range(6)
    }
    recipe = read_recipe(json.dumps(PAIRS).encode(), "tiny")
    job = Job(data=tmp_path, folder=tmp_path / "run", recipe=recipe, origin="lite", device="cpu")
    with pytest.raises(BadData, match="fold 1 of 6: take fewer folds; it holds no"):
        list(scored_by_folds(job, ScanSpec(size=48), gathered(frames), 6))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("folds", [1, PEOPLE + 1])
def test_more_folds_than_people_are_refused(folds: int) -> None:
    with pytest.raises(BadData, match=f"take 2 to {PEOPLE}"):
        folds_of(videos().crops, folds)


def test_the_command_prints_and_writes_figures(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps(PAIRS | {"epochs": 1, "batch": 4}))
    done = CliRunner().invoke(
        app,
        [
            "crossvalidate", str(listed), "--out", str(tmp_path / "out"), "--folds", "2",
            "--from", "lite", "--recipe", str(tmp_path / "tiny.json"), "--device", "cpu",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "made: video auc" in done.output
    assert json.loads((tmp_path / "out" / "crossvalidation.json").read_text())["made"]["fakes"] == 4
