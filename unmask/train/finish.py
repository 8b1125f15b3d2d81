"""From a trained trunk to a bundle: the LSTM over it, calibration, thresholds, description."""

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.media.coding import sharpness
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.description import Training
from unmask.model.network import Network
from unmask.model.weights import StoredEncoding
from unmask.model.write import write_bundle
from unmask.spec import ScanSpec
from unmask.train import saves
from unmask.train.crops import Crops, Rgb
from unmask.train.frames import FrameNetwork
from unmask.train.landmarks import landmarks
from unmask.train.learned_from import learned_from
from unmask.train.material import Material
from unmask.train.measuring import measure
from unmask.train.pairs import Pairs
from unmask.train.runs import BUNDLE, open_run, unfinished
from unmask.train.start import Job, cache_of, draft, fit, frame_network
from unmask.train.temporal import Films, fit_lstm, make_films, start_as_frames

#: The share of crops whose sharpness is too rare among them to be judged by.
FAINTEST = 0.05
#: Films to measure what time adds, as a share of those to learn from.
_WATCHED = 0.25


def train_on_pairs(job: Job, material: Material) -> None:
    open_run(job.folder, job.recipe, learned_from(job))
    fit(job, material.spec, *pairs_of(job, material))


def pairs_of(job: Job, material: Material) -> tuple[Pairs, Pairs]:
    """Those to train on, and those held out to watch."""
    crops, points = material.crops, None
    if job.recipe.pairing.given_fakes < 1:
        points = landmarks(crops, cache_of(job))
    how, seed = job.recipe.pairing, job.recipe.seed
    return (
        Pairs(crops=crops, points=points, chosen=material.parts["train"], how=how, seed=seed),
        Pairs(crops=crops, points=points, chosen=material.parts["validation"], how=how, seed=seed),
    )


def finish(job: Job, material: Material, encoding: StoredEncoding = "bf16") -> Bundle:
    """Writes the bundle of a run whose trunk is trained."""
    frames = _judge_of_frames(job, material.spec)
    pairs, held_out = pairs_of(job, material)
    network, figures = _with_lstm(job, frames, pairs, held_out)
    said = dataclasses.replace(
        draft(job.recipe, material.spec),
        name=job.name or job.recipe.name,
        untrained=False,
        training=Training(data=job.data_names, recipe=job.recipe.name, terms=job.terms),
        least_sharpness=least_sharpness(pairs.crops, pairs.chosen),
    )
    with unfinished(job.folder) as folder:
        write_bundle(folder, said, network.state_dict(), encoding)
        measure(folder, material.score, kind=material.kind, more=figures)
    return open_bundle(job.folder / BUNDLE)


def least_sharpness(crops: Crops, chosen: NDArray[np.intp]) -> float:
    """What all but the faintest of the crops that were learned from reach."""
    found = [sharpness(crops.pictures[index]) for index in chosen]
    return round(float(np.quantile(found, FAINTEST)), 1)


def _judge_of_frames(job: Job, spec: ScanSpec) -> FrameNetwork:
    """The moving average of the last checkpoint."""
    model = frame_network(job, spec)
    tensors, _ = saves.read(job.folder / saves.LAST)
    model.load_state_dict(model.state_dict() | saves.under_prefix(tensors, "average."), strict=True)
    return model.eval().requires_grad_(False)


def _with_lstm(
    job: Job, frames: FrameNetwork, pairs: Pairs, held_out: Pairs
) -> tuple[Network, dict[str, float]]:
    """The LSTM starts as the judge of frames, and stays it where time adds nothing."""
    recipe = job.recipe
    torch.manual_seed(recipe.seed)
    network = Network(draft(recipe, ScanSpec()).architecture)
    network.trunk.load_state_dict(frames.trunk.state_dict())
    start_as_frames(network, frames.linear)
    watched = _films(frames, held_out, round(recipe.films * _WATCHED), recipe.film_frames)
    films = _films(frames, pairs, recipe.films, recipe.film_frames)
    found = fit_lstm(network, films, watched, recipe)
    job.say(
        "pseudo-sequences held out, AUC after each epoch: " + " ".join(f"{v:.4f}" for v in found)
    )
    if max(found) == found[0]:
        job.say("time added nothing: the mean over frames is kept")
    return network, {"films, frames averaged": found[0], "films, over time": max(found)}


def _films(frames: FrameNetwork, pairs: Pairs, count: int, length: int) -> Films:
    def features(film: Rgb) -> Tensor:
        with torch.no_grad():
            return frames.features(torch.from_numpy(film))

    order = np.random.default_rng(pairs.seed).permutation(pairs.reals)
    return make_films(pairs, features, order[:count], length)
