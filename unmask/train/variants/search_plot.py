"""A study as a picture: how trials went one after another, and over each value that varied."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study
    from optuna.trial import FrozenTrial

_COLUMNS, _WIDTH, _HEIGHT = 3, 4.2, 3.4
_DONE, _GIVEN_UP, _BEST = "#0a58a8", "#b0b7bf", "#c82e2e"


def draw_study(study: "Study", space_of_logs: frozenset[str], target: Path) -> Path:
    """PNG. Grey are the trials that were given up, at the last value they reached."""
    study_figure(study, space_of_logs).savefig(target, dpi=110)
    return target


def study_figure(study: "Study", space_of_logs: frozenset[str]) -> "Figure":
    from matplotlib.figure import Figure
    from optuna.trial import TrialState

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    names = sorted({name for trial in (*done, *pruned) for name in trial.params})
    rows = -(-(1 + len(names)) // _COLUMNS)
    figure = Figure(figsize=(_COLUMNS * _WIDTH, rows * _HEIGHT), layout="constrained")
    axes: list[Any] = list(figure.subplots(rows, _COLUMNS, squeeze=False).ravel())
    _history(axes[0], done, pruned)
    for axis, name in zip(axes[1:], names, strict=False):
        _over(axis, name, done, pruned, log=name in space_of_logs)
    for axis in axes[1 + len(names) :]:
        axis.set_visible(False)
    return figure


def _history(axis: Any, done: "list[FrozenTrial]", pruned: "list[FrozenTrial]") -> None:
    for trials, colour, label in ((pruned, _GIVEN_UP, "given up"), (done, _DONE, "to the end")):
        axis.scatter([t.number for t in trials], list(map(_value, trials)), c=colour, label=label)
    highest = [max(map(_value, done[: place + 1])) for place in range(len(done))]
    axis.step([t.number for t in done], highest, where="post", c=_BEST, label="best so far")
    axis.set(xlabel="trial", ylabel="AUC on the validation part")
    axis.legend()


def _over(
    axis: Any, name: str, done: "list[FrozenTrial]", pruned: "list[FrozenTrial]", *, log: bool
) -> None:
    words = any(isinstance(t.params.get(name), str | None) for t in (*done, *pruned))
    for trials, colour in ((pruned, _GIVEN_UP), (done, _DONE)):
        if not trials:  # an axis that meets nothing first takes itself for one of numbers
            continue
        values = [t.params[name] for t in trials]
        axis.scatter(
            [str(v) for v in values] if words else values, list(map(_value, trials)), c=colour
        )
    axis.set(xlabel=name)
    if log:  # naming the scale at all would take words off an axis
        axis.set(xscale="log")


def _value(trial: "FrozenTrial") -> float:
    """Of one that was given up: where it stood then."""
    if trial.intermediate_values:
        return max(trial.intermediate_values.values())
    return float(trial.value or 0.0)
