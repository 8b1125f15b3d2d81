"""Several recipes on the same clips and the same split, and what each is worth on its three parts.

Accuracy is that of whole videos, cut where the network itself calls both as likely, as the papers
print it; the interval draws whole groups of people. A row that is there already is not made again.
Finished bundles stand beside them, measured on the same videos and cut by their own scan spec.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unmask.errors import Unusable
from unmask.model.bundle import Bundle
from unmask.model.description import Trunk
from unmask.model.predict import load
from unmask.model.pretrained import IMAGENET
from unmask.model.trunks import TRUNKS
from unmask.spec import ScanSpec
from unmask.train.bootstrap import Interval
from unmask.train.crops import need_both
from unmask.train.extracting import extract_all
from unmask.train.figures import level
from unmask.train.placing import clips_folder
from unmask.train.recipe import Recipe
from unmask.train.scoring import score_items
from unmask.train.sides import PARTS
from unmask.train.splits import Part
from unmask.train.start import Job
from unmask.train.start_clips import clips_spec, parts_of, train_on_clips


class Accuracy(NamedTuple):
    """Of so many videos: those in which nobody is seen say nothing."""

    accuracy: Interval
    videos: int


Row = dict[Part, Accuracy]


def compared(job: Job, recipes: Mapping[str, Recipe]) -> Iterator[tuple[str, Row]]:
    """Row by row, as each is trained."""
    for name, recipe in recipes.items():
        job.say(f"row: {name}")
        first_weights = _first_weights(job, name, recipe)
        if first_weights is None and recipe.trained_blocks is not None:
            job.say(
                f"{name}: nothing was learned before, so what is frozen stays as chance made it; "
                "name --trunk-weights"
            )
        own = dataclasses.replace(
            job,
            recipe=recipe,
            folder=job.folder / recipe.name,
            clips=clips_folder(job),
            trunk_weights=first_weights,
        )
        parts_of(own, PARTS)
        bundle = _trained(own)
        yield name, dict(_accuracies(own, bundle))


def _first_weights(job: Job, name: str, recipe: Recipe) -> str | None:
    """A file or a bundle holds those of one trunk."""
    if job.trunk_weights in (None, IMAGENET) or _plain(recipe) == _plain(job.recipe):
        return job.trunk_weights
    job.say(f"{name}: {job.trunk_weights} is of another trunk, so this one begins without weights")
    return None


def _plain(recipe: Recipe) -> Trunk:
    return TRUNKS[recipe.trunk].base or recipe.trunk


def _trained(job: Job) -> Bundle:
    """A row that is there must be of this recipe and this data."""
    bundle = train_on_clips(job)
    said = bundle.description.training
    if said is None or said.data != job.data_names:
        raise Unusable(f"{job.folder} holds a row of other data; name another --out")
    return bundle


def beside(job: Job, bundles: Sequence[Bundle]) -> Iterator[tuple[str, Row]]:
    """Finished bundles on the sides that the rows have."""
    for bundle in bundles:
        job.say(f"row: {bundle.name}, as it is")
        items = [item for some in parts_of(job, PARTS).values() for item in some]
        extract_all(items, clips_folder(job), bundle.spec, processes=job.processes)
        yield bundle.name, dict(_measured(job, bundle, bundle.spec))


def _accuracies(job: Job, bundle: Bundle) -> Iterator[tuple[Part, Accuracy]]:
    return _measured(job, bundle, clips_spec(job.recipe))


def _measured(job: Job, bundle: Bundle, spec: ScanSpec) -> Iterator[tuple[Part, Accuracy]]:
    predictor = load(bundle, job.device)
    for part, items in parts_of(job, PARTS).items():
        scored = list(score_items(items, clips_folder(job), spec, predictor))
        need_both(
            np.array([item.fake for item in scored]), f"what {bundle.name} sees of the {part} part"
        )
        of_videos = level(scored, lambda item: [item.score])
        accuracy = of_videos.figures(["accuracy"])["accuracy"]
        yield part, Accuracy(accuracy, len(scored))


def written_to(folder: Path) -> Path:
    return folder / "comparison.json"
