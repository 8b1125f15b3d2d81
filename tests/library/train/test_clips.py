"""Recipes that learn from clips of videos: from labelled files to a bundle."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.errors import Unusable
from unmask.model.bundle import open_bundle
from unmask.train import saves
from unmask.train.curves import LINES
from unmask.train.recipe import find_recipe, read_recipe
from unmask.train.runs import open_run
from unmask.train.start import Job
from unmask.train.start_clips import clips_spec, fit_clips


def test_from_videos_to_a_bundle(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps(CLIPS))
    command = [
        "train", str(listed), "--out", str(tmp_path / "run"), "--device", "cpu",
        "--recipe", str(tmp_path / "tiny.json"), "--data-name", "a list",
    ]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    said = open_bundle(tmp_path / "run" / "bundle").description
    assert said.architecture.mode == "temporal"
    assert said.spec.frames == 3
    assert said.calibration is not None
    assert said.calibration.fitted_on == "4 videos of 4 held-out groups"
    report = ["evaluate", str(listed), "--model", str(tmp_path / "run" / "bundle"), "--no-time"]
    kept = ["--work", str(tmp_path / "run" / "clips"), "--out", str(tmp_path / "report")]
    measured = CliRunner().invoke(app, [*report, *kept, "--part", "validation"])
    assert measured.exit_code == 0, measured.output
    assert "list.csv, validation: 2 real, 2 fake, 4 groups" in measured.output
    nobody = CliRunner().invoke(app, [*report, *kept, "--part", "test"])
    assert nobody.exit_code == 1
    assert "the test part holds no real item" in nobody.output
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert "came to its end before" in again.output
    misfit = CliRunner().invoke(app, [*command, "--from", "lite", "--out", str(tmp_path / "more")])
    assert misfit.exit_code == 1
    assert "another trunk or width than the recipe" in misfit.output
    other = CliRunner().invoke(app, [*command, "--seed", "2"])
    assert other.exit_code == 1
    assert "with another `seed`" in other.output


class Stopped(Exception):
    """In place of a kill, at the end of an epoch."""


def test_a_stopped_run_on_clips_ends_with_the_very_same_weights(tmp_path: Path) -> None:
    recipe = read_recipe(json.dumps(CLIPS | {"epochs": 3}).encode(), "tiny")
    whole = Job(
        data=write_videos(tmp_path), folder=tmp_path / "whole", clips=tmp_path / "clips",
        recipe=recipe, device="cpu",
    )  # fmt: skip

    def stop(epoch: int, value: float) -> None:
        if epoch == 2:
            raise Stopped

    stopped = dataclasses.replace(whole, folder=tmp_path / "stopped", watch=stop)
    for job in (whole, stopped):
        open_run(job.folder, recipe)
    fit_clips(whole)
    with pytest.raises(Stopped):
        fit_clips(stopped)
    fit_clips(dataclasses.replace(stopped, watch=None))
    for name in (saves.LAST, saves.BEST):
        (one, facts), (other, others) = (saves.read(job.folder / name) for job in (whole, stopped))
        assert facts == others
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    lines = [(job.folder / LINES).read_text() for job in (whole, stopped)]
    assert lines[0] == lines[1] != ""
    smaller = dataclasses.replace(whole, recipe=dataclasses.replace(recipe, batch=1))
    with pytest.raises(Unusable, match="steps in an epoch were 1, now they would be 2"):
        fit_clips(smaller)


def test_the_papers_clips_are_cut_the_papers_way() -> None:
    spec = clips_spec(find_recipe("papers"))
    assert (spec.box, spec.moments, spec.frames, spec.no_face) == ("squash", "first", 150, "drop")
    assert np.isclose(spec.margin, 0.0)
