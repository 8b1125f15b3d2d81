"""A new bundle's calibration, from the validation part, and what it is worth on the test part."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from unmask.model.bundle import open_bundle
from unmask.model.description import MEASURED
from unmask.model.predict import Predictor, load
from unmask.model.write import write_description
from unmask.train.figures import level
from unmask.train.fitting import calibrated
from unmask.train.scoring import Scored
from unmask.train.splits import Part

#: What a model says of the items of a part.
Score = Callable[[Part, Predictor], Iterable[Scored]]


def measure(
    folder: Path, score: Score, *, kind: str, more: Mapping[str, float] | None = None
) -> None:
    """`kind` is what the items are; `more` stands beside the figures."""
    fitted = list(score("validation", load(open_bundle(folder))))
    where = f"{len(fitted)} {kind} of {len({item.group for item in fitted})} held-out groups"
    said = calibrated(open_bundle(folder).description, fitted, where)
    write_description(folder, said)
    tested = list(score("test", load(open_bundle(folder))))
    figures = {**_figures(tested), **(more or {})}
    quality = {name: round(value, 4) for name, value in figures.items()}
    write_description(folder, dataclasses.replace(said, quality=dict(quality)))


def _figures(tested: Sequence[Scored]) -> dict[str, float]:
    """None where nobody is left to measure on."""
    if {item.fake for item in tested} != {True, False}:
        return {}
    found = level(tested, lambda item: [item.score]).figures(["auc"])["auc"]
    return {MEASURED: found.value}
