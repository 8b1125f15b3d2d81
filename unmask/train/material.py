"""What pairs are made of: face crops from tars, or faces out of labelled videos.

tars of crops ────────────────────────────────────────┐
a folder, a list, a data set ─as a scan cuts clips─▶ 15 faces a video ─▶ crops ─▶ sides
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.model.predict import Predictor
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec
from unmask.train.crops import Crops
from unmask.train.measuring import Score
from unmask.train.placing import clips_folder, placed
from unmask.train.scoring import Scored, score_crops, score_items
from unmask.train.splits import Part, split
from unmask.train.start import Job, cache_of, frame_network
from unmask.train.tars import find_tars, has_tars, load_crops
from unmask.train.videos import faces_of

#: More of one video are more of the same.
FACES_A_VIDEO = 15


@dataclass(frozen=True, kw_only=True)
class Material:
    crops: Crops
    #: Places of the crops of each part.
    parts: dict[Part, NDArray[np.intp]]
    #: How a scan must cut clips so that they look like these.
    spec: ScanSpec
    #: What a model is measured on, and what that says of it.
    kind: str
    score: Score


def material_of(job: Job, *, tight: bool = True) -> Material:
    """`tight` tells how crops in tars were cut, and else how to cut."""
    return _from_tars(job, tight) if has_tars(job.data) else _from_videos(job, tight)


def _from_tars(job: Job, tight: bool) -> Material:
    crops = load_crops(find_tars(job.data), cache_of(job))
    parts = split(crops, job.shares)

    def score(part: Part, predictor: Predictor) -> list[Scored]:
        return score_crops(crops, parts[part], predictor)

    spec = dataclasses.replace(_spec(tight), size=crops.size)
    return Material(crops=crops, parts=parts, spec=spec, kind="face crops", score=score)


def _from_videos(job: Job, tight: bool) -> Material:
    own = find_bundle(job.origin).spec if job.origin is not None else _spec(tight)
    spec, work = dataclasses.replace(own, frames=job.recipe.frames), clips_folder(job)
    frame_network(job, spec)  # what does not fit is refused before anything is cut
    items = placed(job, spec)
    found = faces_of([i for some in items.values() for i in some], work, spec, FACES_A_VIDEO)
    side = {item: part for part, some in items.items() for item in some}
    sides = np.array([side[found.items[place]] for place in found.of])
    parts = {part: np.flatnonzero(sides == part) for part in items}

    def score(part: Part, predictor: Predictor) -> Iterator[Scored]:
        return score_items(items[part], work, spec, predictor)

    return Material(crops=found.crops, parts=parts, spec=spec, kind="videos", score=score)


def _spec(tight: bool) -> ScanSpec:
    return ScanSpec(name="tight", box="tight", margin=0.0) if tight else ScanSpec()
