"""A job: data, recipe and where to put what comes of it; and a fit on pairs of crops."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from unmask.errors import Unusable
from unmask.model.description import NAME, Architecture, Description, Weights
from unmask.model.device import choose_device
from unmask.model.predict import build
from unmask.model.pretrained import first_weights
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec
from unmask.train.crops import Crops, SmallerThanBatch
from unmask.train.fit import Fit, Watch
from unmask.train.frames import FrameNetwork, take_over
from unmask.train.journal import Journal
from unmask.train.learner import Learner
from unmask.train.lesson_pairs import PairsLesson
from unmask.train.pairs import Pairs
from unmask.train.recipe import Recipe
from unmask.train.splits import Shares
from unmask.train.teaching import Pupil, Teacher
from unmask.train.team import Team, in_team


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the command line asked for."""

    data: Path
    folder: Path
    recipe: Recipe
    trunk_weights: str | None = None
    processes: int = 1
    device: str | None = None
    #: What the finished bundle is called, and what is said of its data.
    name: str | None = None
    data_names: tuple[str, ...] = ()
    terms: str = "those of the data it was trained on"
    #: A bundle whose trunk is trained on, in place of first weights.
    origin: str | None = None
    #: Where clips are kept; in `folder` if absent.
    clips: Path | None = None
    #: Clips of first frames are cut for so many where the recipe takes fewer, so that recipes of
    #: several lengths share them; for a fit alone.
    cut_frames: int = 0
    #: Sees each epoch's number and its validation, and may stop the run by raising.
    watch: Watch | None = None
    shares: Shares = dataclasses.field(default_factory=Shares)
    #: Told what a person should know.
    say: Callable[[str], object] = str


def check_name(name: str | None) -> None:
    """Before anything is trained: a bundle with a bad name is refused only when it is written."""
    if name is not None and not re.fullmatch(NAME, name):
        raise Unusable(f"--name takes small letters, digits, `.`, `_` and `-`, not `{name}`")


def draft(recipe: Recipe, spec: ScanSpec) -> Description:
    """What is known of the model before it is trained; weights come from a seed so far."""
    return Description(
        format=1,
        name=recipe.name,
        about=recipe.about[:200],
        untrained=True,
        architecture=Architecture(
            trunk=recipe.trunk,
            width=recipe.width,
            dropout=recipe.dropout,
            transformer_after=recipe.transformer_after,
        ),
        weights=Weights(encoding="seeded", seed=recipe.seed),
        colours=recipe.colours,
        spec=dataclasses.replace(spec, frames=recipe.frames),
    )


def cache_of(job: Job) -> Path:
    """Runs beside each other share what was worked out of their data."""
    return job.folder.parent / "cache"


def fit_pairs(
    job: Job,
    spec: ScanSpec,
    crops: Crops,
    *,
    train: NDArray[np.intp],
    validation: NDArray[np.intp],
) -> None:
    """On crops at hand, beside given fakes only."""
    how = dataclasses.replace(job.recipe.pairing, given_fakes=1.0)
    pairs, held_out = (
        Pairs(crops=crops, points=None, chosen=chosen, how=how, seed=job.recipe.seed)
        for chosen in (train, validation)
    )
    fit(job, spec, pairs, held_out)


def fit(job: Job, spec: ScanSpec, pairs: Pairs, held_out: Pairs) -> None:
    if len(pairs) < job.recipe.batch * job.processes:
        raise SmallerThanBatch(
            f"{len(pairs)} real faces to train on are fewer than one batch of {job.recipe.batch}"
            + (f" in each of {job.processes} processes" if job.processes > 1 else "")
        )

    def work(team: Team) -> None:
        # OpenCV's threads would wait for each other around pictures of 112 pixels.
        cv2.setNumThreads(1)
        device = choose_device(job.device)
        lesson = PairsLesson(
            recipe=job.recipe,
            pairs=pairs,
            held_out=held_out,
            device=device,
            teacher=_teacher(job.recipe, device),
            team_size=team.size,
        )
        learner = Learner(model=frame_network(job, spec).to(device), recipe=job.recipe)
        journal = Journal(job.folder if team.leads else None)
        Fit(
            learner=learner,
            lesson=lesson,
            folder=job.folder,
            team=team,
            journal=journal,
            watch=job.watch,
        ).run()

    in_team(job.processes, job.folder, work)


def _teacher(recipe: Recipe, device: torch.device) -> Teacher | None:
    return None if recipe.teacher is None else Teacher(find_bundle(recipe.teacher)).to(device)


def _untaught(recipe: Recipe, description: Description) -> FrameNetwork:
    if recipe.teacher is None:
        return FrameNetwork(recipe, description)
    return Pupil(recipe, description, find_bundle(recipe.teacher).description)


def frame_network(job: Job, spec: ScanSpec) -> FrameNetwork:
    torch.manual_seed(job.recipe.seed)
    model = _untaught(job.recipe, draft(job.recipe, spec))
    if job.origin is not None:
        take_over(model, build(find_bundle(job.origin)))
    elif job.trunk_weights is not None:
        first = first_weights(draft(job.recipe, spec).architecture, job.trunk_weights)
        model.trunk.load_state_dict(first)
    return model
