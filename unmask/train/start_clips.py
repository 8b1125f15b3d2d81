"""From labelled videos and a recipe that learns from clips to a bundle."""

import dataclasses
from collections.abc import Sequence

import cv2
import torch

from unmask.errors import Unusable
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.description import Training
from unmask.model.device import choose_device
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.predict import build
from unmask.model.pretrained import first_weights
from unmask.model.shelf import find_bundle
from unmask.model.variants import ATTENTIVE
from unmask.model.weights import StoredEncoding
from unmask.model.write import write_bundle
from unmask.spec import PAPERS, ScanSpec
from unmask.train import saves
from unmask.train.crops import BadData
from unmask.train.fit import Fit
from unmask.train.journal import Journal
from unmask.train.learned_from import learned_from
from unmask.train.learner import Learner
from unmask.train.lesson_clips import ClipNetwork, Clips, ClipsLesson
from unmask.train.measuring import measure
from unmask.train.placing import clips_folder, placed
from unmask.train.recipe import Recipe
from unmask.train.runs import BUNDLE, finished, open_run, unfinished
from unmask.train.scoring import score_items
from unmask.train.sets.item import Item
from unmask.train.splits import Part
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


def train_on_clips(job: Job, encoding: StoredEncoding = "bf16") -> Bundle:
    open_run(job.folder, job.recipe, learned_from(job))
    if bundle := finished(job.folder):
        return bundle
    spec, work = clips_spec(job.recipe), clips_folder(job)
    parts = fit_clips(dataclasses.replace(job, cut_frames=0))
    said = dataclasses.replace(
        draft(job.recipe, spec),
        spec=spec,
        name=job.name or job.recipe.name,
        untrained=False,
        training=Training(data=job.data_names, recipe=job.recipe.name, terms=job.terms),
    )
    with unfinished(job.folder) as draft_folder:
        write_bundle(draft_folder, said, _learned(job, spec).state_dict(), encoding)
        measure(
            draft_folder,
            lambda part, model: score_items(parts[part], work, spec, model),
            kind="videos",
        )
    return open_bundle(job.folder / BUNDLE)


def fit_clips(job: Job) -> dict[Part, list[Item]]:
    """To the last epoch; returns who was on which side."""
    spec, cut, work = clips_spec(job.recipe), cut_spec(job), clips_folder(job)
    _clip_network(job, spec)  # what does not fit is refused before anything is cut
    parts = parts_of(job)
    clips = {
        part: Clips(items=tuple(some), folder=work, spec=cut, frames=spec.frames)
        for part, some in parts.items()
    }
    _fit(job, spec, clips)
    return parts


def parts_of(job: Job, needed: Sequence[Part] = ("train", "validation")) -> dict[Part, list[Item]]:
    """Everything in which somebody was found, cut into clips where it was not yet."""
    return placed(job, cut_spec(job), needed)


def cut_spec(job: Job) -> ScanSpec:
    """The first frames of a longer clip are what a shorter one would hold, but in windows."""
    spec = clips_spec(job.recipe)
    if spec.moments != "first":
        return spec
    return dataclasses.replace(spec, frames=max(spec.frames, job.cut_frames))


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
        _take_over(network, build(find_bundle(job.origin)))
    elif job.trunk_weights is not None:
        network.trunk.load_state_dict(first_weights(said.architecture, job.trunk_weights))
    model = _kind(job.recipe)(network, Pixels(said))
    model.freeze(network.trunk, job.recipe.trained_blocks)
    return model


def _take_over(network: Network, other: Network) -> None:
    own, found = (
        {name: tensor.shape for name, tensor in each.state_dict().items()}
        for each in (network, other)
    )
    if own != found:
        raise Unusable(
            "the bundle has another trunk or width than the recipe; name a recipe that fits it, or "
            "one that learns from pairs: that needs the same trunk alone"
        )
    network.load_state_dict(other.state_dict())


def _kind(recipe: Recipe) -> type[ClipNetwork]:
    if recipe.trunk != ATTENTIVE:
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
