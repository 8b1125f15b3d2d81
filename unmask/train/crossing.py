"""Grouped cross-validation: what a model is worth on people it did not see, trained on the rest.

    videos ─main person's frames─▶ crops ─by group─▶ folds
    each fold: trunk of a bundle ─fitted on the other folds' pairs─▶ scores of this fold's videos

Nothing of it is shipped; it tells what data of the same kind would add.
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.judgement import from_log_odds
from unmask.model.device import choose_device
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.train import saves
from unmask.train.crops import BadData, Crops, need_both
from unmask.train.evaluation import labelled
from unmask.train.extracting import extract_all
from unmask.train.figures import by_method
from unmask.train.lesson_pairs import fake_margins
from unmask.train.scoring import Scored
from unmask.train.sets.item import REAL, Item
from unmask.train.splits import check_leaks
from unmask.train.start import Job, fit_pairs, frame_network
from unmask.train.videos import Videos, faces_of

#: Frames of each video that are learned from and scored, spread over all that were cut.
FRAMES = 40


def cross_validated(
    job: Job, spec: ScanSpec, *, folds: int, work: Path
) -> tuple[dict[str, Any], list[Scored]]:
    """By method: AUC over all videos, each scored by the model that did not see its people."""
    videos = videos_of(job, spec, work)
    scored = list(scored_by_folds(job, spec, videos, folds))
    return by_method(scored), scored


def videos_of(job: Job, spec: ScanSpec, work: Path) -> Videos:
    items = labelled(job.data).kept
    extract_all(items, work, spec, processes=job.processes)
    return faces_of(items, work, spec, FRAMES)


def scored_by_folds(job: Job, spec: ScanSpec, videos: Videos, folds: int) -> Iterator[Scored]:
    parts = folds_of(videos.crops, folds)
    for number, held_out in enumerate(parts, start=1):
        need_both(videos.crops.fake[held_out], f"fold {number} of {folds}: take fewer folds; it")
    for number, held_out in enumerate(parts):
        train = np.setdiff1d(np.arange(len(videos.crops)), held_out)
        own = dataclasses.replace(job, folder=job.folder / f"fold-{number + 1}")
        own.folder.mkdir(parents=True, exist_ok=True)
        yield from _scored(own, spec, videos, train, held_out)


def folds_of(crops: Crops, folds: int) -> list[NDArray[np.intp]]:
    """Pictures of each fold; a group stands in one fold alone."""
    groups = sorted(set(crops.groups), key=_shuffled)
    if not 2 <= folds <= len(groups):
        raise BadData(f"{folds} folds of {len(groups)} groups of people: take 2 to {len(groups)}")
    place = {group: number % folds for number, group in enumerate(groups)}
    found = [np.flatnonzero([place[g] == n for g in crops.groups]) for n in range(folds)]
    check_leaks({str(n): {crops.groups[row] for row in rows} for n, rows in enumerate(found)})
    return found


def _shuffled(group: str) -> bytes:
    """An order that no naming scheme leans on, the same everywhere."""
    return hashlib.sha256(group.encode()).digest()


def _scored(
    job: Job, spec: ScanSpec, videos: Videos, train: NDArray[np.intp], held_out: NDArray[np.intp]
) -> Iterator[Scored]:
    fit_pairs(job, spec, videos.crops, train=train, validation=held_out)
    model = frame_network(job, spec)
    tensors, _ = saves.read(job.folder / saves.LAST)
    model.load_state_dict(model.state_dict() | saves.under_prefix(tensors, "average."))
    device = choose_device(job.device)
    judge = model.eval().requires_grad_(False).to(device)
    margins = fake_margins(judge, videos.crops, held_out, device)
    for place in np.unique(videos.of[held_out]):
        own = margins[videos.of[held_out] == place]
        yield _video(videos.items[place], videos.groups[int(place)], own)


def _video(item: Item, group: str, margins: NDArray[np.float64]) -> Scored:
    """A video's score is the mean log-odds of its frames."""
    frames = tuple(from_log_odds(float(margin)) for margin in margins)
    return Scored(
        name=item.name,
        method=item.method if item.fake else REAL,
        fake=item.fake,
        group=group,
        frames=frames,
        windows=frames,
        score=from_log_odds(float(margins.mean())),
        probability=None,
        outcome=Outcome.UNSURE,
    )
