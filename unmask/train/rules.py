"""Which rule makes a person's windows one number: compared on labelled items, by held-out groups.

Every candidate only rises: raising a window, or adding one at or above the score, never lowers it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.errors import Unusable
from unmask.judgement import Rule
from unmask.train.metrics import auc

Numbers = NDArray[np.float64]

FOLDS = 5
#: Groups are drawn anew so often to tell how far a difference may be chance.
DRAWS = 200
#: What the learned rule may be.
_SHARPNESS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_TOPS = (None, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One item: the raw scores of each person's windows, and what is true."""

    group: str
    fake: bool
    persons: tuple[tuple[float, ...], ...]

    def score(self, rule: Rule) -> float:
        """As a verdict takes it: that of the person most likely manipulated."""
        return max(rule(list(windows)) for windows in self.persons)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A candidate, fitted on everything, and its AUC on groups it was not fitted on."""

    name: str
    rule: Rule
    auc: float
    #: Standard error of its distance to the best candidate.
    error: float
    #: How far below the best.
    below: float


def read_labelled(path: Path) -> list[Labelled]:
    """The lines of `unmask score --json` with `fake` added; items without people are left out."""
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            item = _item(json.loads(line), number)
        except (KeyError, TypeError, ValueError) as error:
            raise Unusable(f"{path}:{number}: no labelled item ({error!r})") from error
        items += [item] if item.persons else []
    if {item.fake for item in items} != {True, False}:
        raise Unusable(f"{path}: it needs both fake and real items with people in them")
    return items


def _item(fields: dict[str, Any], number: int) -> Labelled:
    if not isinstance(fields["fake"], bool):
        raise TypeError("`fake` must be true or false")
    persons = (tuple(float(s["raw"]) for s in who["segments"]) for who in fields["persons"])
    return Labelled(
        group=str(fields.get("group") or fields.get("uri") or number),
        fake=fields["fake"],
        persons=tuple(windows for windows in persons if windows),
    )


def learned(items: Sequence[Labelled]) -> Rule:
    """The best of a few between mean and maximum; of equal ones the first, which is simpler."""
    rules = [Rule(top=top, sharpness=sharp) for top in _TOPS for sharp in _SHARPNESS]
    return max(rules, key=lambda rule: round(auc_of(items, rule), 6))


#: From the simplest on; each is made from the items it may see.
CANDIDATES: dict[str, Callable[[Sequence[Labelled]], Rule]] = {
    "mean": lambda _: Rule(),
    "top 3": lambda _: Rule(top=3),
    "top 2": lambda _: Rule(top=2),
    "maximum": lambda _: Rule(top=1),
    "learned": learned,
}


def compare(items: Sequence[Labelled], seed: int = 0) -> list[Compared]:
    """All candidates, in the order from simple to learned."""
    fake = np.array([item.fake for item in items])
    scores = {name: _held_out(items, make) for name, make in CANDIDATES.items()}
    aucs = {name: auc(scores[name], fake) for name in CANDIDATES}
    best = max(aucs, key=lambda name: aucs[name])
    draws = _draws(items, seed)
    return [
        Compared(
            name=name,
            rule=make(items),
            auc=aucs[name],
            error=_error(scores[best], scores[name], fake, draws),
            below=aucs[best] - aucs[name],
        )
        for name, make in CANDIDATES.items()
    ]


def choose(compared: Sequence[Compared]) -> Compared:
    """The simplest that is within one standard error of the best."""
    return next(each for each in compared if each.below <= each.error)


def auc_of(items: Sequence[Labelled], rule: Rule) -> float:
    scores = np.array([item.score(rule) for item in items])
    return auc(scores, np.array([item.fake for item in items]))


def _held_out(items: Sequence[Labelled], make: Callable[[Sequence[Labelled]], Rule]) -> Numbers:
    groups = sorted({item.group for item in items})
    fold = {group: place % FOLDS for place, group in enumerate(groups)}
    scores = np.zeros(len(items))
    for number in range(FOLDS):
        others = [item for item in items if fold[item.group] != number]
        rule = make(others if len({item.fake for item in others}) == 2 else items)
        for place, item in enumerate(items):
            if fold[item.group] == number:
                scores[place] = item.score(rule)
    return scores


def _draws(items: Sequence[Labelled], seed: int) -> list[NDArray[np.intp]]:
    """Items of as many groups as there are, drawn with replacement; both classes in each."""
    chance = np.random.default_rng(seed)
    places: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(item.group, []).append(place)
    groups, fake = list(places), np.array([item.fake for item in items])
    drawn = []
    for _ in range(DRAWS):
        chosen = chance.integers(0, len(groups), len(groups))
        own = np.concatenate([np.array(places[groups[one]], dtype=np.intp) for one in chosen])
        drawn += [own] if 0 < fake[own].sum() < len(own) else []
    return drawn


def _error(
    best: Numbers, own: Numbers, fake: NDArray[np.bool_], draws: Sequence[NDArray[np.intp]]
) -> float:
    gaps = [auc(best[one], fake[one]) - auc(own[one], fake[one]) for one in draws]
    return float(np.std(gaps)) if gaps else 0.0
