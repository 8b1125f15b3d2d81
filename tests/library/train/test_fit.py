"""A small training from end to end: it learns, and a kill at any moment changes nothing."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.making.crops import write_crops
from tests.making.recipes import PAIRS
from unmask.errors import Unusable
from unmask.train import saves
from unmask.train.curves import LINES
from unmask.train.finish import train_on_pairs
from unmask.train.fit import Diverged, Fit
from unmask.train.frames import FAKE, REAL
from unmask.train.journal import Journal
from unmask.train.learner import Learner
from unmask.train.lesson_pairs import weighed
from unmask.train.material import material_of
from unmask.train.metrics import auc
from unmask.train.recipe import find_recipe, read_recipe, shipped_names
from unmask.train.schedule import one_cycle, plateau, worn_out
from unmask.train.splits import Shares
from unmask.train.start import Job
from unmask.train.team import Team

ROOT = Path(__file__).resolve().parents[3]


def recipe_file(folder: Path, **changes: object) -> Path:
    path = folder / "tiny.json"
    path.write_text(json.dumps(PAIRS | changes))
    return path


def command(data: Path, out: Path, recipe: Path, processes: int = 1) -> list[str]:
    return [
        sys.executable, "-m", "unmask", "train", str(data), "--out", str(out),
        "--recipe", str(recipe), "--device", "cpu", "--processes", str(processes),
    ]  # fmt: skip


def last(out: Path) -> tuple[dict[str, torch.Tensor], int]:
    tensors, facts = saves.read(out / saves.LAST)
    return tensors, facts["step"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_run_ends_with_the_very_same_weights(tmp_path: Path, processes: int) -> None:
    write_crops(tmp_path / "data", 80)
    recipe = recipe_file(tmp_path, trunk="compact", films=16, film_frames=4, film_epochs=2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole_run, killed_run = (
        command(tmp_path / "data", out, recipe, processes) for out in (whole, killed)
    )
    subprocess.run(whole_run, cwd=ROOT, check=True, timeout=200)
    running = subprocess.Popen(killed_run, cwd=ROOT)
    until = time.monotonic() + 120
    while not (killed / saves.LAST).exists():
        assert time.monotonic() < until, "no checkpoint"
        assert running.poll() is None or (killed / saves.LAST).exists()
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert last(killed)[1] < last(whole)[1], "it ended before it could be killed"
    subprocess.run(killed_run, cwd=ROOT, check=True, timeout=200)
    (one, steps), (other, others) = last(whole), last(killed)
    assert steps == others
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    told = [(out / LINES).read_text() for out in (whole, killed)]
    assert told[0] == told[1] != ""


class Exploding:
    """A lesson whose loss is no number from its third step on."""

    steps = 2

    def loss(self, model: torch.nn.Module, epoch: int, step: int, team: Team) -> torch.Tensor:
        weights = torch.cat([each.flatten() for each in model.parameters()])
        return weights.square().sum() * (float("nan") if epoch else 1.0)

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        return {"auc": 0.5}


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    recipe = read_recipe(json.dumps(PAIRS).encode(), "tiny")
    learner = Learner(model=torch.nn.Linear(3, 2), recipe=recipe)
    fit = Fit(
        learner=learner, lesson=Exploding(), folder=tmp_path, team=Team(), journal=Journal(None)
    )
    with pytest.raises(Diverged, match=r"the loss is nan at step 2; .*last\.safetensors"):
        fit.run()
    tensors, step = last(tmp_path)
    assert step == 2
    assert all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


class Steep(Exploding):
    """Whose loss is a number, but whose slope is none."""

    def loss(self, model: torch.nn.Module, epoch: int, step: int, team: Team) -> torch.Tensor:
        weights = torch.cat([each.flatten() for each in model.parameters()])
        return (weights - weights.detach()).abs().sqrt().sum() if epoch else weights.square().sum()


class Blind(Exploding):
    """Whose model says nothing that could be measured."""

    def loss(self, model: torch.nn.Module, epoch: int, step: int, team: Team) -> torch.Tensor:
        return super().loss(model, 0, step, team)

    def validate(self, model: torch.nn.Module) -> dict[str, float]:
        return {"auc": auc([math.nan, 0.1], [True, False])}


@pytest.mark.parametrize(
    ("lesson", "says", "kept"),
    [
        (Steep(), r"the gradient is nan at step 2; .*last\.safetensors", 2),
        (Blind(), "validation after step 2: a score is not finite; nothing was saved", None),
    ],
)
def test_weights_that_would_be_no_numbers_are_never_saved(
    tmp_path: Path, lesson: Exploding, says: str, kept: int | None
) -> None:
    recipe = read_recipe(json.dumps(PAIRS).encode(), "tiny")
    learner = Learner(model=torch.nn.Linear(3, 2), recipe=recipe)
    fit = Fit(learner=learner, lesson=lesson, folder=tmp_path, team=Team(), journal=Journal(None))
    with pytest.raises(Diverged, match=says):
        fit.run()
    assert (last(tmp_path)[1] if (tmp_path / saves.LAST).exists() else None) == kept
    assert all(bool(torch.isfinite(each).all()) for each in learner.model.parameters())


class Killed(Exception):
    """In place of a kill."""


def test_a_kill_between_the_two_checkpoints_of_an_epoch_loses_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe(json.dumps(PAIRS | {"epochs": 1}).encode(), "tiny")
    save = saves.save
    seen: list[Path] = []

    def killed(path: Path, tensors: dict[str, torch.Tensor], facts: dict[str, object]) -> None:
        if seen:
            raise Killed
        save(path, tensors, facts)
        seen.append(path)

    def fit() -> None:
        torch.manual_seed(1)
        learner = Learner(model=torch.nn.Linear(3, 2), recipe=recipe)
        Fit(
            learner=learner, lesson=Exploding(), folder=tmp_path, team=Team(), journal=Journal(None)
        ).run()

    monkeypatch.setattr(saves, "save", killed)
    with pytest.raises(Killed):
        fit()
    monkeypatch.setattr(saves, "save", save)
    fit()
    (one, _), (other, _) = saves.read(tmp_path / saves.BEST), saves.read(tmp_path / saves.LAST)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_early_stopping_waits_as_long_as_it_should() -> None:
    assert not worn_out([0.5, 0.7, 0.6], patience=2)
    assert worn_out([0.5, 0.7, 0.6, 0.65], patience=2)
    assert not worn_out([0.9] + [0.1] * 9, patience=None)


def test_the_rate_rises_and_falls() -> None:
    rates = [one_cycle(step, 101, 1.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("loss", "smoothing", "wanted", "slope"),
    [
        # A softmax gives (0.731, 0.269); sigmoids give 0.818 and 0.622, each with half the weight.
        ("cross-entropy", 0.0, 0.3133, (0.731 - 1, 0.269)),
        ("cross-entropy", 0.2, 0.4133, (0.731 - 0.9, 0.269 - 0.1)),
        ("binary-cross-entropy", 0.0, 0.5877, ((0.818 - 1) / 2, 0.622 / 2)),
        ("binary-cross-entropy", 0.2, 0.6377, ((0.818 - 0.9) / 2, (0.622 - 0.1) / 2)),
    ],
)
def test_each_loss_is_the_one_of_its_name(
    loss: str, smoothing: float, wanted: float, slope: tuple[float, float]
) -> None:
    recipe = read_recipe(json.dumps(PAIRS | {"loss": loss, "smoothing": smoothing}).encode(), "t")
    logits = torch.zeros(1, 2)
    logits[0, FAKE], logits[0, REAL] = 1.5, 0.5
    found = weighed(logits.requires_grad_(), torch.tensor([FAKE]), recipe)
    [slopes] = torch.autograd.grad(found, logits)
    assert found.item() == pytest.approx(wanted, abs=1e-3)
    assert slopes[0, [FAKE, REAL]].tolist() == pytest.approx(slope, abs=1e-3)


def test_a_plateau_lowers_the_rate_after_two_flat_epochs() -> None:
    assert plateau([0.5, 0.6, 0.6], 1.0) == 1.0
    assert plateau([0.5, 0.6, 0.6, 0.59], 1.0) == pytest.approx(0.1)
    assert plateau([0.5, 0.6, 0.6, 0.59, 0.7, 0.6, 0.6], 1.0) == pytest.approx(0.01)


def test_recipes_that_are_shipped_can_be_read() -> None:
    assert {"papers", "plateau", "strong"} <= set(shipped_names())
    for name in shipped_names():
        assert find_recipe(name).name == name
    papers = find_recipe("papers")
    assert (papers.rate, papers.weight_decay, papers.batch, papers.epochs, papers.frames) == (
        1e-5, 1e-3, 4, 20, 150,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rate": -1}, "rate"),
        ({"colour": "blue"}, "colour"),
        ({"learns_from": "air"}, "learns_from"),
        ({"name": "My Recipe"}, "name"),
        ({"pairing": {"given_fakes": 2}}, r"pairing\.given_fakes"),
        ({"pairing": {"spoiling": {"jpeg": 7}}}, r"pairing\.spoiling\.jpeg"),
        ({"pairing": {"spoiling": {"least_px": 200}}}, r"pairing\.spoiling\.least_px"),
        ({"pairing": {"moving": {"shift": -1}}}, r"pairing\.moving\.shift"),
        ({"learns_from": "clips", "teacher": "lite"}, "teacher"),
    ],
)
def test_a_recipe_with_a_slip_is_refused_by_field(changes: dict[str, object], says: str) -> None:
    with pytest.raises(Unusable, match=says):
        read_recipe(json.dumps(PAIRS | changes).encode(), "tiny")


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(Unusable, match="papers, plateau, stills, strong"):
        find_recipe("nosuch")


def test_too_few_faces_are_refused(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 12)
    recipe = read_recipe(json.dumps(PAIRS | {"batch": 50}).encode(), "tiny")
    job = Job(
        data=tmp_path / "data", folder=tmp_path / "run", recipe=recipe, device="cpu",
        shares=Shares(validation=0.2, test=0.2),
    )  # fmt: skip
    with pytest.raises(Unusable, match="fewer than one batch"):
        train_on_pairs(job, material_of(job))
