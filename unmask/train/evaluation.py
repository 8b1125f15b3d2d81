"""Everything that is measured of a bundle on labelled media or crops, as one value."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unmask.model.clips import PersonFrames, Window
from unmask.model.predict import Predictor
from unmask.spec import SEQUENCE_LENGTHS, ScanSpec
from unmask.train.adversary import LEVELS, one_step
from unmask.train.crops import BadData, need_both
from unmask.train.extracting import extract_all, load, why_nobody
from unmask.train.figures import by_method, curve, level, levels, outcomes, reliability
from unmask.train.mistakes import of_crops, of_items, worst
from unmask.train.robust import DAMAGES, Damage, damaged_person
from unmask.train.scoring import Scored, score_crops, score_items, score_persons
from unmask.train.sets import Item, find_items
from unmask.train.sets.sound_only import Sorted, without_sound_only
from unmask.train.sides import need_sides, sides
from unmask.train.splits import Part, Shares, joined, split
from unmask.train.tars import find_tars, has_tars, load_crops

#: Window lengths of the table, as in the papers.
LENGTHS = SEQUENCE_LENGTHS
#: Why an item is left out.
SOUND_ONLY = "only its sound was replaced"
BETWEEN_SIDES = "it shows people of two sides of the split, or of another side than its own"
#: Windows of the longest length that are looked at in each video.
_LONG_WINDOWS = 3


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to measure, and how."""

    source: Path
    #: Where clips and decoded crops are kept for the next time.
    work: Path
    part: Part | None = None
    by_length: bool = False
    robustness: bool = False
    #: Show a face of each of the worst mistakes.
    faces: bool = False
    #: Judge each frame alone too, to see what time adds.
    worth_of_time: bool = True
    processes: int = 1


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    report: dict[str, Any]
    #: What the report was made from.
    scored: list[Scored]
    #: Pictures of the worst mistakes by their source, where they were asked for.
    faces: dict[str, str]


def evaluate(wanted: Wanted, predictor: Predictor) -> Evaluation:
    if has_tars(wanted.source):
        if wanted.by_length or wanted.robustness:
            raise BadData(f"{wanted.source}: lengths and damage are measured on videos, not crops")
        return _of_crops(wanted, predictor)
    usable = labelled(wanted.source)
    items = _of_part(usable.kept, wanted)
    spec = predictor.bundle.spec
    extract_all(items, wanted.work, spec, processes=wanted.processes)
    scored = list(score_items(items, wanted.work, spec, predictor, alone=wanted.worth_of_time))
    if not scored:
        raise BadData(f"{wanted.source}: no face could be judged in any of {len(items)} files")
    found = report(scored, predictor, wanted)
    found["left out"] = _left_out(items, wanted.work, spec)
    found["left out"] |= dict.fromkeys((item.name for item in usable.sound_only), SOUND_ONLY)
    if wanted.robustness:
        found["robustness"] = _robustness(items, wanted, spec, predictor)
    if wanted.by_length:
        found["by length"] = _by_length(items, wanted, spec, predictor)
    faces = of_items(scored, items, wanted.work, spec) if wanted.faces else {}
    return Evaluation(report=found, scored=scored, faces=faces)


def _of_part(items: Sequence[Item], wanted: Wanted) -> list[Item]:
    """By the sides that training takes."""
    if wanted.part is None:
        return list(items)
    parts = sides(items, Shares()).parts
    need_sides(parts, [wanted.part])
    return parts[wanted.part]


def labelled(source: Path) -> Sorted:
    usable = without_sound_only(find_items(source))
    need_both(np.array([item.fake for item in usable.kept]), str(source))
    return usable


def report(scored: Sequence[Scored], predictor: Predictor, wanted: Wanted) -> dict[str, Any]:
    need_both(np.array([item.fake for item in scored]), str(wanted.source))
    every = levels(scored)
    return {
        "model": {"name": predictor.bundle.name, "digest": predictor.bundle.digest},
        "data": {
            "source": wanted.source.name,
            "part": wanted.part or "all",
            "items": len(scored),
            "real": sum(not item.fake for item in scored),
            "fake": sum(item.fake for item in scored),
            "groups": len({item.group for item in scored}),
        },
        "levels": {name: each.figures() for name, each in every.items()},
        "confusion": {name: each.confusion() for name, each in every.items()},
        "by method": by_method(scored),
        "outcomes": outcomes(scored),
        "reliability": reliability(scored),
        "curve": curve(scored),
        "worst mistakes": [
            {"source": one.source, "method": one.method, "said": one.said, "outcome": one.outcome}
            for one in worst(scored)
        ],
    }


def _of_crops(wanted: Wanted, predictor: Predictor) -> Evaluation:
    crops = load_crops(find_tars(wanted.source), wanted.work)
    if crops.size != predictor.bundle.spec.size:
        raise BadData(
            f"the crops are {crops.size} pixels wide, the model takes {predictor.bundle.spec.size}"
        )
    chosen = split(crops, Shares())[wanted.part] if wanted.part else np.arange(len(crops))
    scored = score_crops(crops, chosen, predictor)
    faces = of_crops(scored, crops) if wanted.faces else {}
    return Evaluation(report=report(scored, predictor, wanted), scored=scored, faces=faces)


def _left_out(items: Sequence[Item], work: Path, spec: ScanSpec) -> dict[str, str]:
    return {item.name: why for item in items if (why := why_nobody(item, work, spec))}


def _robustness(
    items: Sequence[Item], wanted: Wanted, spec: ScanSpec, predictor: Predictor
) -> dict[str, dict[str, Any]]:
    """AUC by method after each kind of damage."""
    table: dict[str, dict[str, Any]] = {}
    for name, worsen in _harms(predictor).items():
        scored = []
        for item, group, persons in _judged(items, wanted.work, spec):
            worse = [worsen(person, item.fake) for person in persons]
            scored.append(score_persons(item, group, worse, predictor))
        table[name] = {method: row["auc"] for method, row in by_method(scored).items()}
    return table


def _harms(predictor: Predictor) -> dict[str, Callable[[PersonFrames, bool], PersonFrames]]:
    """What is done to somebody's frames; only the adversary wants to know if they are fake."""
    attack = one_step(predictor.bundle, torch.device(predictor.device))
    blind = {name: _blindly(damage) for name, damage in DAMAGES.items()}
    named = f"adversary, one step of {LEVELS} levels"
    return {**blind, named: attack}


def _blindly(damage: Damage) -> Callable[[PersonFrames, bool], PersonFrames]:
    return lambda person, _fake: damaged_person(person, damage)


def _judged(
    items: Sequence[Item], work: Path, spec: ScanSpec
) -> Iterator[tuple[Item, str, Sequence[PersonFrames]]]:
    groups = joined([item.identities for item in items])
    for item in items:
        persons = load(item, work, spec).persons
        if persons:
            yield item, groups[item.identities[0]], persons


def _by_length(
    items: Sequence[Item], wanted: Wanted, spec: ScanSpec, predictor: Predictor
) -> dict[str, dict[str, Any]]:
    """All frames of each long window as windows of each length; item figures by method too.

    A window shorter than a length has no part in its row, so rows may stand on fewer videos: each
    says on how many. A length that either class lacks has none. Accuracy is that of items, cut
    where the model calls both as likely.
    """
    long = dataclasses.replace(spec, frames=max(LENGTHS), windows=_LONG_WINDOWS)
    extract_all(items, wanted.work, long, processes=wanted.processes)
    table: dict[str, dict[str, Any]] = {}
    for length in LENGTHS:
        scored = [
            score_persons(item, group, parted, predictor)
            for item, group, persons in _judged(items, wanted.work, long)
            if (parted := _parted(persons, length))
        ]
        if len({item.fake for item in scored}) == 2:
            table[str(length)] = _length_row(scored)
    return table


def _length_row(scored: Sequence[Scored]) -> dict[str, Any]:
    methods = {method: row["auc"] for method, row in by_method(scored).items()}
    return {
        "videos": len(scored),
        "windows": sum(len(item.windows) for item in scored),
        "accuracy": levels(scored)["video"].figures(["accuracy"])["accuracy"],
        "window auc": level(scored, lambda item: item.windows).figures(["auc"])["auc"],
        **methods,
    }


def _parted(persons: Sequence[PersonFrames], length: int) -> list[PersonFrames]:
    """Those of whom a window is that long."""
    return [own for each in persons if (own := _shortened(each, length)).windows]


def _shortened(person: PersonFrames, length: int) -> PersonFrames:
    """Each window as the fewest windows of that length that hold all of its frames.

    They lie evenly and overlap where the length does not go into the window: 150 frames are two
    windows of 80, from 0 and from 70. A window that is shorter is left out.
    """
    parts: list[Window] = []
    for window in person.windows:
        for start in _starts(len(window.times), length):
            stop = start + length
            times, frames = window.times[start:stop], window.frames[start:stop]
            parts.append(Window(len(parts), times, frames, window.sharpness))
    return PersonFrames(person=person.person, windows=tuple(parts))


def _starts(frames: int, length: int) -> list[int]:
    if frames < length:
        return []
    count = -(-frames // length)
    return [number * (frames - length) // max(count - 1, 1) for number in range(count)]
