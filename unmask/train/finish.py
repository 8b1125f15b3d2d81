"""From a trained trunk to a bundle: the LSTM over it, calibration, thresholds, description."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.media.coding import sharpness
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.description import Description, Training
from unmask.model.network import Network
from unmask.model.predict import load
from unmask.model.weights import StoredEncoding
from unmask.model.write import write_bundle, write_description
from unmask.spec import ScanSpec
from unmask.train import saves
from unmask.train.crops import Crops, Rgb
from unmask.train.figures import level
from unmask.train.fitting import calibrated
from unmask.train.frames import FrameNetwork
from unmask.train.pairs import Pairs
from unmask.train.scoring import score_crops
from unmask.train.splits import split
from unmask.train.start import Job, draft, frame_network, pairs_of
from unmask.train.tars import find_tars, load_crops
from unmask.train.temporal import Films, fit_lstm, make_films, start_as_frames

Say = Callable[[str], None]

#: The share of crops whose sharpness is too rare among them to be judged by.
FAINTEST = 0.05
#: Films to measure what time adds, as a share of those to learn from.
_WATCHED = 0.25


def finish(
    job: Job, spec: ScanSpec, target: Path, say: Say, encoding: StoredEncoding = "bf16"
) -> Bundle:
    """Writes the bundle of a run whose trunk is trained."""
    frames = _judge_of_frames(job, spec)
    pairs, held_out = pairs_of(job)
    network, figures = _with_lstm(job, frames, pairs, held_out, say)
    said = dataclasses.replace(
        draft(job.recipe, spec),
        name=job.name or job.recipe.name,
        untrained=False,
        training=Training(data=job.data_names, recipe=job.recipe.name, terms=job.terms),
        least_sharpness=least_sharpness(pairs.crops, pairs.chosen),
    )
    write_bundle(target, said, network.state_dict(), encoding)
    return _measured(job, target, figures)


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
    job: Job, frames: FrameNetwork, pairs: Pairs, held_out: Pairs, say: Say
) -> tuple[Network, dict[str, float]]:
    """The LSTM starts as the judge of frames, and stays it where time adds nothing."""
    recipe = job.recipe
    torch.manual_seed(recipe.seed)
    network = Network(draft(recipe, ScanSpec()).architecture)
    network.trunk.load_state_dict(frames.trunk.state_dict())
    start_as_frames(network, frames.linear)
    watched = _films(frames, held_out, round(recipe.films * _WATCHED), recipe.film_frames)
    films = _films(frames, pairs, recipe.films, recipe.film_frames)
    found = fit_lstm(network, films, watched, recipe.film_epochs, recipe.seed)
    say("pseudo-sequences held out, AUC after each epoch: " + " ".join(f"{v:.4f}" for v in found))
    if max(found) == found[0]:
        say("time added nothing: the mean over frames is kept")
    return network, {"films, frames averaged": found[0], "films, over time": max(found)}


def _films(frames: FrameNetwork, pairs: Pairs, count: int, length: int) -> Films:
    def features(film: Rgb) -> Tensor:
        with torch.no_grad():
            return frames.features(torch.from_numpy(film))

    order = np.random.default_rng(pairs.seed).permutation(pairs.reals)
    return make_films(pairs, features, order[:count], length)


def _measured(job: Job, folder: Path, figures: dict[str, float]) -> Bundle:
    """Calibrated on the validation groups, measured on the test groups."""
    crops = load_crops(find_tars(job.data), job.folder.parent / "cache")
    parts = split(crops, job.shares)
    fitted = score_crops(crops, parts["validation"], load(open_bundle(folder)))
    where = f"{len(fitted)} face crops of {len({item.group for item in fitted})} held-out groups"
    said = calibrated(open_bundle(folder).description, fitted, where)
    write_description(folder, said)
    tested = score_crops(crops, parts["test"], load(open_bundle(folder)))
    found = level(tested, lambda item: [item.score]).figures(["auc"])["auc"]
    quality = {"test groups, auc": round(found.value, 4), **_rounded(figures)}
    write_description(folder, _with_quality(said, quality))
    return open_bundle(folder)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def _with_quality(said: Description, quality: dict[str, float]) -> Description:
    return dataclasses.replace(said, quality=dict(quality))
