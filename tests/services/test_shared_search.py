"""Machines that name the same study and the same PostgreSQL share one search."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from optuna.trial import TrialState

from tests import servers
from unmask.train.recipe import find_recipe
from unmask.train.start import Job
from unmask.train.variants.search import Search, opened, run
from unmask.train.variants.space import Space, Span

EACH = 3
SPACE = Space(recipe="strong", values={"rate": Span(low=1e-5, high=1e-3, log=True)})


def train(job: Job) -> None:
    assert job.watch is not None
    job.watch(1, job.recipe.rate)


def test_two_machines_add_to_one_study(postgresql_server: str, tmp_path: Path) -> None:
    with servers.database(postgresql_server) as address:
        search = Search(study="shared", storage=address, trials=EACH)
        with opened(search, SPACE, {}):
            pass

        def machine(name: str) -> None:
            job = Job(data=tmp_path, folder=tmp_path / name, recipe=find_recipe("strong"))
            with opened(search, SPACE, {}) as study:
                run(study, search, SPACE, job, train)

        with ThreadPoolExecutor(2) as machines:
            list(machines.map(machine, ["one", "two"]))
        with opened(search, SPACE, {}) as study:
            trials = study.trials
            best = study.best_value
    assert sorted(trial.number for trial in trials) == list(range(2 * EACH))
    rates = [trial.params["rate"] for trial in trials if trial.state == TrialState.COMPLETE]
    assert len(set(rates)) == 2 * EACH
    assert best == max(rates)
