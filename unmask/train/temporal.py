"""The LSTM over a trunk that judges frames: it starts as that judge and learns what time adds.

    unit 0 of the LSTM   tanh(a · margin of the frame), nothing kept from before
    linear               reads unit 0 alone

So before the first step a window's score is a mean over its frames, each held within bounds; what
training finds beyond that is what time adds. The trunk stands still, so its features are computed
once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.model.network import Network
from unmask.train.crops import Rgb
from unmask.train.frames import FAKE, REAL
from unmask.train.lesson_pairs import CHUNK, weighed
from unmask.train.metrics import auc
from unmask.train.pairs import Pairs
from unmask.train.recipe import Recipe
from unmask.train.sequences import filmed, filmed_twins, story

#: How steeply the judge of frames is bent, and how wide open (or shut) its gates are.
_BEND, _GATE = 0.15, 8.0
_RATE, _BATCH, _DECAY = 1e-3, 64, 1e-3


@dataclass(frozen=True, kw_only=True)
class Films:
    """Features of pseudo-sequences: (N, T, F), and which are fake."""

    features: Tensor
    fake: NDArray[np.bool_]


def start_as_frames(network: Network, linear: nn.Linear) -> None:
    """Makes the LSTM and its linear layer answer what `linear` says of each frame alone."""
    width = network.lstm.hidden_size
    margin = linear.weight[FAKE] - linear.weight[REAL], linear.bias[FAKE] - linear.bias[REAL]
    state = dict(network.lstm.named_parameters())
    with torch.no_grad():
        for gate, bias in ((0, _GATE), (1, -_GATE), (2, 0.0), (3, _GATE)):
            row = gate * width
            state["weight_ih_l0"][row] = 0.0
            state["weight_hh_l0"][row] = 0.0
            state["bias_ih_l0"][row], state["bias_hh_l0"][row] = bias, 0.0
        state["weight_ih_l0"][2 * width] = _BEND * margin[0]
        state["bias_ih_l0"][2 * width] = _BEND * margin[1]
        network.linear.weight.zero_()
        network.linear.bias.zero_()
        network.linear.weight[FAKE, 0], network.linear.weight[REAL, 0] = 0.5 / _BEND, -0.5 / _BEND


def make_films(
    pairs: Pairs, features: Callable[[Rgb], Tensor], reals: NDArray[np.intp], frames: int
) -> Films:
    """A fake and a real film from each chosen real crop."""
    found, fake = [], []
    for real in reals:
        for label, film in zip((True, False), film_pair(pairs, int(real), frames), strict=True):
            parts = [features(film[i : i + CHUNK]) for i in range(0, frames, CHUNK)]
            found.append(torch.cat(parts).to(torch.bfloat16))
            fake.append(label)
    return Films(features=torch.stack(found), fake=np.array(fake))


def film_pair(pairs: Pairs, real: int, frames: int) -> tuple[Rgb, Rgb]:
    """The fake film, then the real one."""
    rng = np.random.default_rng((pairs.seed, real, frames))
    moving, size = pairs.how.moving, pairs.crops.size
    told = story(moving, pairs.how.spoiling, size, frames, rng)
    face = pairs.crops.pictures[real]
    if pairs.points is not None and rng.random() >= pairs.how.given_fakes:
        return filmed_twins(face, pairs.points[real], moving, told, rng)
    return filmed(pairs.crops.pictures[pairs.fake_beside(real, rng)], told), filmed(face, told)


def fit_lstm(network: Network, films: Films, watched: Films, recipe: Recipe) -> list[float]:
    """Leaves the weights of the epoch that is best on the films watched, the start included.

    The trunk is left as it is. Returns the AUC before the first epoch and after each.
    """
    found = [film_auc(network.eval(), watched)]
    best = _learned(network)
    for _ in _epochs(network, films, recipe):
        found.append(film_auc(network.eval(), watched))
        if found[-1] >= max(found):
            best = _learned(network)
        network.train()
    network.load_state_dict(best, strict=False)
    network.eval()
    return found


def _learned(network: Network) -> dict[str, Tensor]:
    state: dict[str, Tensor] = network.state_dict()
    return {name: t.clone() for name, t in state.items() if not name.startswith("trunk.")}


def _epochs(network: Network, films: Films, recipe: Recipe) -> Iterator[int]:
    """Yields after each pass over the films."""
    epochs = recipe.film_epochs
    torch.manual_seed(recipe.seed)
    network.train()
    learned = [*network.lstm.parameters(), *network.linear.parameters()]
    optimiser = torch.optim.AdamW(learned, lr=_RATE, weight_decay=_DECAY)
    wanted = torch.from_numpy(np.where(films.fake, FAKE, REAL))
    steps = epochs * (len(wanted) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
    for epoch in range(epochs):
        for some in torch.split(torch.randperm(len(wanted)), _BATCH)[: len(wanted) // _BATCH]:
            optimiser.zero_grad()
            logits = _logits(network, _cut(films.features[some]))
            loss = weighed(logits, wanted[some], recipe)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            schedule.step()
        yield epoch


def _cut(features: Tensor) -> Tensor:
    """A stretch of each film: pictures have one frame, short videos a few."""
    length = features.shape[1]
    wanted = 1 if torch.rand(()) < 0.2 else int(torch.randint(2, length + 1, ()))
    start = int(torch.randint(0, length - wanted + 1, ()))
    return features[:, start : start + wanted].float()


def _logits(network: Network, features: Tensor) -> Tensor:
    lengths = torch.full((len(features),), features.shape[1])
    return network.score(features, lengths).logits


def film_auc(network: Network, films: Films) -> float:
    with torch.no_grad():
        logits = torch.cat(
            [_logits(network, some.float()) for some in torch.split(films.features, _BATCH)]
        )
    return auc((logits[:, FAKE] - logits[:, REAL]).numpy(), films.fake)
