"""Calibration and thresholds of a bundle, fitted to items that it never saw."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from unmask.errors import Unusable
from unmask.judgement import Calibration, Logistic
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.calibrate import choose_thresholds, fit_logistic
from unmask.model.description import Description
from unmask.model.write import write_description
from unmask.train.scoring import Scored

#: Thresholds are chosen a little on the safe side of one real item in a hundred.
MOST_FALSE_ALARMS, MOST_MISSES = 0.006, 0.05
#: Of so many real items one is that share.
_ENOUGH = round(1 / MOST_FALSE_ALARMS)


def calibrated(said: Description, items: Sequence[Scored], fitted_on: str) -> Description:
    """The window's curve makes the item's number a probability; the item's own curve mends it."""
    fake = [item.fake for item in items]
    window = fit_logistic([item.score for item in items], fake)
    # The rule is a mean of log-odds and the window's curve a line on them: they change places.
    through = [window(item.score) for item in items]
    item = fit_logistic(through, fake)
    curves = Calibration(window=window, item=_no_turn(item), fitted_on=fitted_on)
    said_of_items = [curves.item(value) for value in through]
    thresholds = choose_thresholds(
        said_of_items, fake, most_false_alarms=MOST_FALSE_ALARMS, most_misses=MOST_MISSES
    )
    return dataclasses.replace(said, untrained=False, calibration=curves, thresholds=thresholds)


def _no_turn(curve: Logistic) -> Logistic:
    return Logistic(slope=round(curve.slope, 4), shift=round(curve.shift, 4))


def need_new(target: Path | None) -> None:
    if target is not None and target.exists():
        raise Unusable(f"{target} is there already; name a folder that is new")


def promise(items: Sequence[Scored]) -> str:
    """What thresholds fitted to so many can mean."""
    reals = sum(not item.fake for item in items)
    few = "so a smaller share of false alarms can't be seen" if reals < _ENOUGH else "as wanted"
    return f"fitted on {reals} real items, one of them is {1 / reals:.1%}: {few}"


def fitted_copy(bundle: Bundle, items: Sequence[Scored], fitted_on: str, target: Path) -> Bundle:
    """The same weights with curves and thresholds for other material."""
    need_new(target)
    shutil.copytree(bundle.folder, target)
    write_description(target, calibrated(bundle.description, items, fitted_on))
    return open_bundle(target)
