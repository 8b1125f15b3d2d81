"""From a data folder and a recipe to a running fit."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from unmask.model.description import Architecture, Description, Weights
from unmask.model.device import choose_device
from unmask.model.predict import build
from unmask.model.pretrained import first_weights
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec
from unmask.train.crops import BadData, Crops
from unmask.train.fit import Fit, Watch
from unmask.train.frames import FrameNetwork, take_over
from unmask.train.journal import Journal
from unmask.train.landmarks import landmarks
from unmask.train.learner import Learner
from unmask.train.lesson_pairs import PairsLesson
from unmask.train.pairs import Pairs
from unmask.train.recipe import Recipe, written
from unmask.train.splits import Shares, split
from unmask.train.tars import find_tars, load_crops
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
    #: Sees each epoch's number and its validation, and may stop the run by raising.
    watch: Watch | None = None
    shares: Shares = dataclasses.field(default_factory=Shares)


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
        spec=dataclasses.replace(spec, frames=recipe.frames),
    )


def tight_spec(*, data: Path, tight: bool, cache: Path) -> ScanSpec:
    """How clips must be cut to look like the crops that were learned from."""
    size = load_crops(find_tars(data), cache).size
    if not tight:
        return ScanSpec(size=size)
    return ScanSpec(name="tight", box="tight", margin=0.0, size=size)


def train_on_pairs(job: Job, spec: ScanSpec) -> None:
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "recipe.json").write_bytes(written(job.recipe))
    pairs, held_out = pairs_of(job)
    _fit(job, spec, pairs, held_out)


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
    _fit(job, spec, pairs, held_out)


def _fit(job: Job, spec: ScanSpec, pairs: Pairs, held_out: Pairs) -> None:
    if len(pairs) < job.recipe.batch * job.processes:
        raise BadData(f"{len(pairs)} real faces to train on are fewer than one batch")

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


def pairs_of(job: Job) -> tuple[Pairs, Pairs]:
    """Those to train on, and those held out to watch."""
    cache = job.folder.parent / "cache"
    crops = load_crops(find_tars(job.data), cache)
    parts = split(crops, job.shares)
    points = None
    if job.recipe.pairing.given_fakes < 1:
        points = landmarks(crops.pictures, crops.where(fake=False), cache / "landmarks.npy")
    how, seed = job.recipe.pairing, job.recipe.seed
    return (
        Pairs(crops=crops, points=points, chosen=parts["train"], how=how, seed=seed),
        Pairs(crops=crops, points=points, chosen=parts["validation"], how=how, seed=seed),
    )


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
