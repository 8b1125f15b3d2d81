"""Recipes that learn from clips of videos: from labelled files to a bundle."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from bench.made.film import coded, one_face
from tests.making.recipes import CLIPS
from tests.making.videos import write_videos
from unmask.cli import app
from unmask.errors import Unusable
from unmask.model.bundle import open_bundle
from unmask.train import saves
from unmask.train.crops import BadData
from unmask.train.curves import LINES
from unmask.train.extracting import extract_all
from unmask.train.lesson_clips import Clips
from unmask.train.recipe import Recipe, find_recipe, read_recipe
from unmask.train.runs import open_run
from unmask.train.sets.item import Item
from unmask.train.start import Job
from unmask.train.start_clips import clips_spec, cut_spec, fit_clips


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
    recipe = read_recipe(json.dumps(CLIPS | {"epochs": 3, "trunk": "compact"}).encode(), "tiny")
    whole = Job(
        data=write_videos(tmp_path), folder=tmp_path / "whole", clips=tmp_path / "clips",
        recipe=recipe, device="cpu",
    )  # fmt: skip

    def stop(epoch: int, value: float) -> None:
        if epoch == 2:
            raise Stopped

    stopped = dataclasses.replace(whole, folder=tmp_path / "stopped", watch=stop)
    for job in (whole, stopped):
        open_run(job.folder, recipe, {})
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
    # Four of the eight videos are learned from.
    smaller = dataclasses.replace(whole, recipe=dataclasses.replace(recipe, batch=1))
    with pytest.raises(Unusable, match="steps in an epoch were 2, now they would be 4"):
        fit_clips(smaller)


def test_a_side_without_a_class_is_told_before_anything_is_cut(tmp_path: Path) -> None:
    listed = write_videos(tmp_path)
    listed.write_text(listed.read_text().replace(",validation", ",train"))
    recipe = read_recipe(json.dumps(CLIPS).encode(), "tiny")
    with pytest.raises(BadData, match="the validation part holds no real item"):
        fit_clips(Job(data=listed, folder=tmp_path / "run", recipe=recipe, device="cpu"))
    assert not (tmp_path / "run" / "clips").exists()


def test_recipes_of_several_lengths_share_clips_of_the_longest(tmp_path: Path) -> None:
    """The first frames of a longer clip are the shorter clip, byte for byte."""
    spec, item = cut_spec(papers_job(tmp_path, 3, cut_frames=6)), film_item(tmp_path)
    alone = cut_spec(papers_job(tmp_path, 3))
    assert (spec.frames, alone.frames) == (6, 3)
    assert cut_spec(papers_job(tmp_path, 9, cut_frames=6)).frames == 9
    for each in (spec, alone):
        extract_all([item], tmp_path / "clips", each)
    shared, own = (
        Clips(items=(item,), folder=tmp_path / "clips", spec=each, frames=3).windows(0)
        for each in (spec, alone)
    )
    assert [len(window) for window in own] == [3]
    assert np.array_equal(shared, own)
    spread = dataclasses.replace(papers_job(tmp_path, 3, cut_frames=6), recipe=tight(3))
    assert cut_spec(spread).frames == 3, "windows of another length lie elsewhere"


def papers_job(folder: Path, frames: int, cut_frames: int = 0) -> Job:
    recipe = dataclasses.replace(find_recipe("papers"), frames=frames)
    return Job(data=folder, folder=folder, recipe=recipe, cut_frames=cut_frames)


def tight(frames: int) -> Recipe:
    return read_recipe(json.dumps(CLIPS | {"frames": frames}).encode(), "tiny")


def film_item(folder: Path) -> Item:
    film = one_face(8, lambda frame: (250.0 + 3 * frame, 180.0), size=(320, 240))
    (folder / "film.mp4").write_bytes(coded(film.pictures))
    return Item(path=folder / "film.mp4", fake=False, identities=("a",))


def test_the_papers_clips_are_cut_the_papers_way() -> None:
    spec = clips_spec(find_recipe("papers"))
    assert (spec.box, spec.moments, spec.frames, spec.no_face) == ("squash", "first", 150, "drop")
    assert np.isclose(spec.margin, 0.0)
