"""`unmask search`: trials in SQL, shared, pruned, drawn."""

import dataclasses
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from typer.testing import CliRunner, Result

from tests.making.crops import write_crops
from tests.making.recipes import PAIRS
from unmask.cli import app
from unmask.errors import Unusable
from unmask.train.crops import SmallerThanBatch
from unmask.train.fit import Diverged
from unmask.train.recipe import find_recipe, with_values
from unmask.train.start import Job
from unmask.train.variants.search import GRACE_S, Search, common_of, opened, run
from unmask.train.variants.search_plot import study_figure
from unmask.train.variants.space import Choice, Space, Span, find_space, log_scaled, most_frames

#: What trials of one study share, where the test is not about it.
COMMON: dict[str, str] = {}
ROOT = Path(__file__).resolve().parents[3]


def study_of(folder: Path, trials: int) -> Search:
    return Search(study="s", storage=f"sqlite:///{folder / 'search.db'}", trials=trials)


def space() -> Space:
    return Space(
        recipe="strong",
        values={"rate": Span(low=1e-5, high=1e-3, log=True), "batch": Span(low=2, high=9)},
    )


def job(folder: Path) -> Job:
    return Job(data=folder, folder=folder, recipe=find_recipe("strong"))


def report(own: Job, *values: float) -> None:
    assert own.watch is not None
    for epoch, value in enumerate(values, start=1):
        own.watch(epoch, value)


def test_recipes_are_drawn_within_the_space_and_the_best_epoch_counts(tmp_path: Path) -> None:
    seen = []

    def train(own: Job) -> None:
        seen.append(own.recipe)
        report(own, 0.5, 0.9, 0.7)

    search = study_of(tmp_path, 5)
    with opened(search, space(), COMMON) as study:
        run(study, search, space(), job(tmp_path), train)
        assert study.best_value == 0.9
    assert len({recipe.rate for recipe in seen}) == 5
    assert all(1e-5 <= recipe.rate <= 1e-3 and 2 <= recipe.batch <= 9 for recipe in seen)
    assert {type(recipe.batch) for recipe in seen} == {int}


def test_two_machines_share_one_study_and_a_poor_trial_is_given_up(tmp_path: Path) -> None:
    search = study_of(tmp_path, 4)
    with opened(search, space(), COMMON) as study:
        run(study, search, space(), job(tmp_path), lambda own: report(own, 0.8, 0.9))
    reached = []

    def poor(own: Job) -> None:
        report(own, 0.3, 0.3)
        reached.append(own)

    with opened(study_of(tmp_path, 1), space(), COMMON) as study:
        run(study, study_of(tmp_path, 1), space(), job(tmp_path), poor)
        states = [trial.state for trial in study.trials]
    assert states == [optuna.trial.TrialState.COMPLETE] * 4 + [optuna.trial.TrialState.PRUNED]
    assert reached == []


def test_a_study_of_another_space_is_refused(tmp_path: Path) -> None:
    with opened(study_of(tmp_path, 0), space(), COMMON):
        pass
    other = Space(recipe="strong", values={"dropout": Span(low=0.1, high=0.2)})
    with (
        pytest.raises(Unusable, match="another space"),
        opened(study_of(tmp_path, 0), other, COMMON),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipe": {"epochs": 9, "rate": 0.5}}, r"another recipe \(`rate`, `epochs`\);"),
        ({"recipe": {"about": "told otherwise"}}, None),
        ({"trunk_weights": "other/b.pth"}, r"another first weights \(a\.pth, now b\.pth\);"),
        ({"trunk_weights": "other/a.pth"}, None),
        ({"more": 1}, r"another data \(data, 2 items, now data, 3 items\);"),
    ],
)
def test_a_study_of_other_trials_is_refused_by_what_differs(
    tmp_path: Path, changes: dict[str, Any], says: str | None
) -> None:
    first = Job(
        data=labelled(tmp_path / "one" / "data", 2), folder=tmp_path,
        recipe=find_recipe("strong"), trunk_weights="here/a.pth",
    )  # fmt: skip
    other = dataclasses.replace(
        first,
        data=labelled(tmp_path / "two" / "data", 2 + changes.get("more", 0)),
        recipe=with_values(first.recipe, changes.get("recipe", {})),
        trunk_weights=changes.get("trunk_weights", first.trunk_weights),
    )
    with opened(study_of(tmp_path, 0), space(), common_of(first)):
        pass
    if says is None:
        with opened(study_of(tmp_path, 0), space(), common_of(other)) as study:
            assert study.study_name == "s"
        return
    with (
        pytest.raises(Unusable, match=says),
        opened(study_of(tmp_path, 0), space(), common_of(other)),
    ):
        pass


def labelled(folder: Path, count: int) -> Path:
    for kind in ("real", "fake"):
        (folder / kind).mkdir(parents=True)
    for number in range(count):
        (folder / ("fake" if number % 2 else "real") / f"{number}.mp4").write_bytes(b"x")
    return folder


def test_a_study_that_does_not_say_what_its_trials_learned_from_is_refused(tmp_path: Path) -> None:
    search = study_of(tmp_path, 0)
    study = optuna.create_study(study_name=search.study, storage=search.storage)
    study.add_trial(optuna.trial.create_trial(value=0.9))
    with (
        pytest.raises(Unusable, match="does not say what its trials learned from"),
        opened(search, space(), COMMON),
    ):
        pass


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("tried to allocate 20 GiB"),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
        Diverged("no number"),
        SmallerThanBatch("7 real faces to train on are fewer than one batch of 8"),
    ],
)
def test_a_trial_fails_alone(tmp_path: Path, error: Exception) -> None:
    turns = iter([True, False])

    def train(own: Job) -> None:
        if next(turns):
            raise error
        report(own, 0.6)

    with opened(study_of(tmp_path, 2), space(), COMMON) as study:
        run(study, study_of(tmp_path, 2), space(), job(tmp_path), train)
        states = [trial.state for trial in study.trials]
        assert study.best_value == 0.6
    assert states == [optuna.trial.TrialState.FAIL, optuna.trial.TrialState.COMPLETE]


def test_another_fault_ends_the_search(tmp_path: Path) -> None:
    def train(own: Job) -> None:
        raise RuntimeError("a shape does not fit")

    with (
        opened(study_of(tmp_path, 1), space(), COMMON) as study,
        pytest.raises(RuntimeError, match="a shape"),
    ):
        run(study, study_of(tmp_path, 1), space(), job(tmp_path), train)


def test_the_trial_of_a_killed_machine_fails_when_the_next_begins(tmp_path: Path) -> None:
    """Two trials run when the third begins; one has said nothing for longer than is waited."""
    search = study_of(tmp_path, 1)
    with opened(search, space(), COMMON):
        pass
    elsewhere = optuna.load_study(study_name=search.study, storage=search.storage)
    said = [(elsewhere.ask()._trial_id, f"-{ago} seconds") for ago in (5, GRACE_S + 5)]
    database = sqlite3.connect(tmp_path / "search.db")
    database.executemany(
        "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?, datetime('now', ?))", said
    )
    database.commit()
    database.close()
    with opened(search, space(), COMMON) as study:
        run(study, search, space(), job(tmp_path), lambda own: report(own, 0.6))
        states = [trial.state for trial in study.trials]
    running, failed, done = (
        optuna.trial.TrialState[name] for name in ("RUNNING", "FAIL", "COMPLETE")
    )
    assert states == [running, failed, done]


def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    search = Search(study="s", storage="postgresql+nosuch://me:secret@127.0.0.1/x", trials=1)
    with (
        pytest.raises(Unusable, match="can't be opened") as caught,
        opened(search, space(), COMMON),
    ):
        pass
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"recipe": "papers", "values": {}}', "values"),
        ('{"recipe": "papers", "values": {"rate": {"low": 2.0, "high": 1.0}}}', "below `high`"),
        ('{"recipe": "papers", "values": {"rat": {"low": 1.0, "high": 2.0}}}', "rat"),
        ('{"recipe": "papers", "values": {"dropout": {"low": 0.1, "high": 7.0}}}', "dropout"),
    ],
)
def test_a_space_that_makes_no_recipe_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "space.json").write_text(text)
    with pytest.raises(Unusable, match=says):
        find_space(str(tmp_path / "space.json")).base()


def test_the_shipped_space_makes_recipes() -> None:
    assert find_space("papers").base() == find_recipe("papers")
    with pytest.raises(Unusable, match="one of: papers"):
        find_space("nosuch")


def searched(folder: Path, trials: int) -> Result:
    return CliRunner().invoke(
        app,
        [
            "search", str(folder / "data"), "--out", str(folder / "out"), "--trials", str(trials),
            "--space", str(folder / "space.json"), "--device", "cpu",
        ],
    )  # fmt: skip


def test_a_search_ends_in_a_recipe_and_a_plot(tmp_path: Path) -> None:
    write_crops(tmp_path / "data", 40)
    (tmp_path / "tiny.json").write_text(json.dumps(PAIRS | {"epochs": 1}))
    values = {
        "rate": {"low": 0.001, "high": 0.01, "log": True},
        "loss": {"choices": ["cross-entropy", "binary-cross-entropy"]},
    }
    said = {"recipe": str(tmp_path / "tiny.json"), "values": values}
    (tmp_path / "space.json").write_text(json.dumps(said))
    empty = searched(tmp_path, 0)
    assert empty.exit_code == 1
    assert "no trial came to its end" in empty.output
    done = searched(tmp_path, 2)
    assert done.exit_code == 0, done.output
    assert "2 trials in study search" in done.output
    assert "trial 1: rate 0.00" in done.output
    best = find_recipe(str(tmp_path / "out" / "best.json"))
    assert 0.001 <= best.rate <= 0.01
    assert (tmp_path / "out" / "search.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "out").glob("trial-*/*.safetensors"))


@pytest.mark.parametrize("given_up", [0, 1])
def test_a_plot_names_what_was_chosen(tmp_path: Path, given_up: int) -> None:
    chosen = Space(
        recipe="papers",
        values={
            "rate": Span(low=1e-5, high=1e-3, log=True),
            "loss": Choice(choices=("cross-entropy", "binary-cross-entropy")),
            "patience": Choice(choices=(None, 2)),
        },
    )
    with opened(study_of(tmp_path, 0), chosen, COMMON) as study:
        for value in (0.6, 0.7):
            study.add_trial(trial_of(optuna.trial.TrialState.COMPLETE, value))
        for _ in range(given_up):
            study.add_trial(trial_of(optuna.trial.TrialState.PRUNED, 0.3))
        figure = study_figure(study, log_scaled(chosen))
    axes = {axis.get_xlabel(): axis for axis in figure.axes}
    names = {
        name: [label.get_text() for label in axes[name].get_xticklabels()]
        for name in ("loss", "patience")
    }
    assert names == {"loss": ["cross-entropy"], "patience": ["None"]}
    assert axes["rate"].get_xscale() == "log"


def trial_of(state: optuna.trial.TrialState, value: float) -> optuna.trial.FrozenTrial:
    drawn = optuna.distributions.CategoricalDistribution
    return optuna.trial.create_trial(
        state=state,
        value=value if state == optuna.trial.TrialState.COMPLETE else None,
        intermediate_values={1: value},
        params={"rate": 1e-4, "loss": "cross-entropy", "patience": None},
        distributions={
            "rate": optuna.distributions.FloatDistribution(1e-5, 1e-3, log=True),
            "loss": drawn(("cross-entropy", "binary-cross-entropy")),
            "patience": drawn((None, 2)),
        },
    )


@pytest.mark.parametrize(
    ("frames", "wanted"),
    [(Span(low=10, high=60), 60), (Choice(choices=(10, 150, 20)), 150), (None, 0)],
)
def test_clips_are_cut_once_for_the_longest_trial(
    frames: Span | Choice | None, wanted: int
) -> None:
    values: dict[str, Span | Choice] = {"rate": Span(low=1e-5, high=1e-3)}
    values |= {"frames": frames} if frames else {}
    assert most_frames(Space(recipe="papers", values=values)) == wanted


def test_the_main_road_loads_neither_optuna_nor_variants() -> None:
    loads = (
        "import sys, unmask.cli, producer.commands, workers.gpu, unmask.train.start_clips; "
        "variants = ('optuna', 'unmask.train.variants', 'unmask.model.variants.'); "
        "found = [name for name in sys.modules if name.startswith(variants)]; "
        "sys.exit(str(found) if found else 0)"
    )
    subprocess.run([sys.executable, "-c", loads], cwd=ROOT, check=True, timeout=120)
