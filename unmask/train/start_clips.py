"""From labelled videos and a recipe that learns from clips to a bundle."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from unmask.model.bundle import Bundle, open_bundle
from unmask.model.description import Training
from unmask.model.device import choose_device
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.predict import build, load
from unmask.model.pretrained import first_weights
from unmask.model.shelf import find_bundle
from unmask.model.weights import StoredEncoding
from unmask.model.write import write_bundle, write_description
from unmask.spec import PAPERS, ScanSpec
from unmask.train import saves
from unmask.train.crops import BadData, need_both
from unmask.train.evaluation import labelled
from unmask.train.extracting import extract_all
from unmask.train.extracting import load as clips_of
from unmask.train.fit import Fit
from unmask.train.fitting import calibrated
from unmask.train.journal import Journal
from unmask.train.learner import Learner
from unmask.train.lesson_clips import ClipNetwork, Clips, ClipsLesson
from unmask.train.recipe import Recipe, written
from unmask.train.scoring import score_items
from unmask.train.sets.item import Item
from unmask.train.splits import Part, Shares, check_leaks, joined, part_of
from unmask.train.start import Job, draft
from unmask.train.team import Team, in_team


def clips_spec(recipe: Recipe) -> ScanSpec:
    """How the recipe's clips are cut; for training, frames without a face are dropped."""
    if recipe.clips == "papers":
        return dataclasses.replace(PAPERS, frames=recipe.frames, no_face="drop")
    tight = ScanSpec(name="tight", box="tight", margin=0.0, frames=recipe.frames)
    if recipe.clips == "tight":
        return tight
    return dataclasses.replace(
        tight, name="pictures", frames=1, windows=recipe.frames, min_frames=1
    )


def train_on_clips(job: Job, target: Path, encoding: StoredEncoding = "bf16") -> Bundle:
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "recipe.json").write_bytes(written(job.recipe))
    spec, work = clips_spec(job.recipe), clips_folder(job)
    parts = fit_clips(job)
    said = dataclasses.replace(
        draft(job.recipe, spec),
        spec=spec,
        name=job.name or job.recipe.name,
        untrained=False,
        training=Training(data=job.data_names, recipe=job.recipe.name, terms=job.terms),
    )
    write_bundle(target, said, _learned(job, spec).state_dict(), encoding)
    scored = list(score_items(parts["validation"], work, spec, load(open_bundle(target))))
    curves = calibrated(open_bundle(target).description, scored, f"{len(scored)} held-out videos")
    write_description(target, curves)
    return open_bundle(target)


def fit_clips(job: Job) -> dict[Part, list[Item]]:
    """To the last epoch; returns who was on which side."""
    spec, work, parts = clips_spec(job.recipe), clips_folder(job), parts_of(job)
    clips = {part: Clips(items=tuple(some), folder=work, spec=spec) for part, some in parts.items()}
    _fit(job, spec, clips)
    return parts


def clips_folder(job: Job) -> Path:
    return job.clips or job.folder / "clips"


def parts_of(job: Job) -> dict[Part, list[Item]]:
    """Everything in which somebody was found, cut into clips where it was not yet."""
    spec, work = clips_spec(job.recipe), clips_folder(job)
    items = labelled(job.data).kept
    extract_all(items, work, spec, processes=job.processes)
    return sides([item for item in items if clips_of(item, work, spec).persons], job.shares)


def sides(items: Sequence[Item], shares: Shares) -> dict[Part, list[Item]]:
    """By the data set's own parts where it names them, else by a hash of who is in it."""
    groups = joined([item.identities for item in items])
    found: dict[Part, list[Item]] = {"train": [], "validation": [], "test": []}
    for item in items:
        own: Part | None = item.part if item.part in found else None
        found[own or part_of(groups[item.identities[0]], shares)].append(item)
    check_leaks(
        {part: {groups[item.identities[0]] for item in some} for part, some in found.items()}
    )
    for part in ("train", "validation"):
        need_both(np.array([item.fake for item in found[part]], dtype=np.bool_), f"the {part} part")
    return found


def _fit(job: Job, spec: ScanSpec, parts: dict[Part, Clips]) -> None:
    def work(team: Team) -> None:
        # OpenCV's threads would wait for each other around pictures of 112 pixels.
        cv2.setNumThreads(1)
        device = choose_device(job.device)
        lesson = ClipsLesson(
            recipe=job.recipe,
            clips=parts["train"],
            held_out=parts["validation"],
            device=device,
            team_size=team.size,
        )
        learner = Learner(model=_clip_network(job, spec).to(device), recipe=job.recipe)
        journal = Journal(job.folder if team.leads else None)
        Fit(
            learner=learner,
            lesson=lesson,
            folder=job.folder,
            team=team,
            journal=journal,
            watch=job.watch,
        ).run()

    if not len(parts["train"].items) >= job.recipe.batch * job.processes:
        raise BadData(f"{len(parts['train'].items)} videos to train on are fewer than one batch")
    in_team(job.processes, job.folder, work)


def _clip_network(job: Job, spec: ScanSpec) -> ClipNetwork:
    torch.manual_seed(job.recipe.seed)
    said = draft(job.recipe, spec)
    network = Network(said.architecture)
    if job.origin is not None:
        network.load_state_dict(build(find_bundle(job.origin)).state_dict())
    elif job.trunk_weights is not None:
        network.trunk.load_state_dict(first_weights(said.architecture, job.trunk_weights))
    model = _kind(job.recipe)(network, Pixels(said))
    model.freeze(network.trunk, job.recipe.trained_blocks)
    return model


def _kind(recipe: Recipe) -> type[ClipNetwork]:
    if recipe.trunk != "multi_attention_b4":
        return ClipNetwork
    from unmask.train.variants.attentive import AttentiveClips

    return AttentiveClips


def _learned(job: Job, spec: ScanSpec) -> Network:
    """The moving average where the recipe keeps one, else the weights of the best epoch."""
    model = _clip_network(job, spec)
    prefix = "average." if job.recipe.average else "model."
    tensors, _ = saves.read(job.folder / saves.BEST)
    model.load_state_dict(model.state_dict() | saves.under_prefix(tensors, prefix))
    return model.network.eval()
