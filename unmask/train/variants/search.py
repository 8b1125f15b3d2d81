"""Random search over a recipe's space, its trials in a SQL table that several machines share.

Each machine draws, trains and reports on its own; what they have in common is the study, which says
by what its trials can be compared: space, recipe, first weights, data. After every epoch from the
second on, a trial below the median of the others there is given up. One whose machine was killed
shows as failed when the next trial begins anywhere.
"""

import dataclasses
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unmask.errors import Unusable
from unmask.model.memory import free, is_shortage
from unmask.train import saves
from unmask.train.crops import SmallerThanBatch
from unmask.train.fit import Diverged
from unmask.train.learned_from import learned_from
from unmask.train.recipe import Recipe, differing, read_recipe, with_values
from unmask.train.recipe import written as as_written
from unmask.train.start import Job
from unmask.train.variants.space import Choice, Space, Span, Value, written

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import RDBStorage

#: Trials that are never given up, so that there is a median; and the first epoch to give up at.
_FIRST_TRIALS, _FIRST_EPOCHS = 4, 2
#: A running trial says so this often, in seconds; silent for so long, its machine is gone.
HEARTBEAT_S, GRACE_S = 60, 600
#: What every trial of a study has in common, and how it is called where it differs.
_COMMON = "common"

#: Trains by a job to its end; the job's watcher sees every validation.
Train = Callable[[Job], None]


class TooLarge(Unusable):
    """Memory was too small for a trial; it fails alone."""


@dataclass(frozen=True, kw_only=True)
class Search:
    study: str
    #: An SQLAlchemy address: `sqlite:///search.db`, `postgresql+psycopg://…`.
    storage: str
    trials: int


@contextmanager
def opened(search: Search, space: Space, common: Mapping[str, str]) -> Iterator["Study"]:
    """The study, made where it is not there yet; refused where its trials are of another kind.

    `common` is what `common_of` says of the job, by name.
    """
    with _stored(search.storage) as storage:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name=search.study,
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.RandomSampler(),
            pruner=optuna.pruners.MedianPruner(_FIRST_TRIALS, _FIRST_EPOCHS),
        )
        _need_same(study, {"space": written(space), **common})
        yield study


def common_of(job: Job) -> dict[str, str]:
    """What else decides how good a trial is."""
    return {"recipe": as_written(job.recipe).decode(), **learned_from(job)}


def _need_same(study: "Study", common: dict[str, str]) -> None:
    known: dict[str, str] | None = study.user_attrs.get(_COMMON)
    if known is None and study.get_trials(deepcopy=False):
        raise Unusable(
            f"study {study.study_name} does not say what its trials learned from; "
            "name another study"
        )
    others = [
        how for name, own in common.items() if known and (how := _differing(name, known[name], own))
    ]
    if others:
        raise Unusable(
            f"study {study.study_name} has another {', another '.join(others)}; "
            "put it back, or name another study"
        )
    study.set_user_attr(_COMMON, common)


def _differing(name: str, before: str, now: str) -> str:
    """Of a recipe the fields, of a space that it is another, of short things what they were."""
    if name == "recipe":
        one, other = (read_recipe(each.encode(), "of the study") for each in (before, now))
        fields = ", ".join(f"`{field}`" for field in differing(one, other))
        return fields and f"recipe ({fields})"
    said = name if name == "space" else f"{name} ({before}, now {now})"
    return said if before != now else ""


@contextmanager
def _stored(address: str) -> Iterator["RDBStorage"]:
    try:
        from optuna.storages import RDBStorage
    except ModuleNotFoundError as error:
        raise Unusable(f"a search needs the package {error.name}: pip install optuna") from error
    from sqlalchemy.exc import SQLAlchemyError

    try:
        storage = _with_heartbeat(RDBStorage, _with_driver(address))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        # The address may hold a password, and so may what the driver says of it.
        raise Unusable(
            f"the study's database can't be opened ({type(error).__name__}); "
            "is the address right, and its driver installed?"
        ) from error
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _with_heartbeat(kind: "type[RDBStorage]", address: str) -> "RDBStorage":
    """Optuna calls its heartbeat experimental, and would warn of it at each start."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*heartbeat", category=Warning)
        return kind(address, heartbeat_interval=HEARTBEAT_S, grace_period=GRACE_S)


def _with_driver(address: str) -> str:
    """PostgreSQL is spoken to through the driver that the system has, as everywhere here."""
    scheme, colon, rest = address.partition(":")
    return f"postgresql+psycopg{colon}{rest}" if scheme == "postgresql" else address


def run(study: "Study", search: Search, space: Space, job: Job, train: Train) -> None:
    def objective(trial: "Trial") -> float:
        recipe = drawn(trial, space, job.recipe)
        own = dataclasses.replace(job, recipe=recipe, folder=job.folder / f"trial-{trial.number}")
        values = ", ".join(f"{name} {value}" for name, value in trial.params.items())
        job.say(f"trial {trial.number}: {values}")
        free()
        with _told_of_memory():
            return _best(own, trial, train)

    study.optimize(objective, n_trials=search.trials, catch=(Diverged, SmallerThanBatch, TooLarge))


@contextmanager
def _told_of_memory() -> Iterator[None]:
    """A recipe that this machine can't hold is a poor one here, not the end of the search."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _lacks_memory(error):
            raise
        raise TooLarge(f"the trial does not fit into memory: {error}") from error


def _lacks_memory(error: Exception) -> bool:
    """Some of torch's backends have no error class of their own for it."""
    said = "out of memory" in str(error).lower()
    return said or isinstance(error, MemoryError) or is_shortage(error)


def _best(job: Job, trial: "Trial", train: Train) -> float:
    """Weights are not kept: what is looked for is a recipe."""
    import optuna

    seen: list[float] = []

    def watch(epoch: int, value: float) -> None:
        seen.append(value)
        trial.report(value, epoch)
        if trial.should_prune():
            job.say(f"trial {trial.number} is given up after epoch {epoch}")
            raise optuna.TrialPruned

    shutil.rmtree(job.folder, ignore_errors=True)
    try:
        train(dataclasses.replace(job, watch=watch))
    finally:
        for name in (saves.LAST, saves.BEST):
            (job.folder / name).unlink(missing_ok=True)
    return max(seen)


def drawn(trial: "Trial", space: Space, base: Recipe) -> Recipe:
    values = {name: _drawn(trial, name, span) for name, span in space.values.items()}
    return with_values(base, {"name": f"{base.name}-{trial.number}", **values})


def _drawn(trial: "Trial", name: str, span: Span | Choice) -> Value:
    if isinstance(span, Choice):
        return trial.suggest_categorical(name, span.choices)
    if isinstance(span.low, int) and isinstance(span.high, int):
        return trial.suggest_int(name, span.low, span.high, log=span.log)
    return trial.suggest_float(name, span.low, span.high, log=span.log)


def best_recipe(study: "Study", base: Recipe, name: str) -> Recipe:
    return with_values(base, {"name": name, **study.best_trial.params})


def finished(study: "Study") -> bool:
    """Whether there is a best one yet."""
    from optuna.trial import TrialState

    return bool(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
