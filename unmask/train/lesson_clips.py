"""Learning from clips of videos, the whole network at once, as the papers do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.spec import ScanSpec
from unmask.train.crops import Rgb
from unmask.train.extracting import first_window, load
from unmask.train.frames import FAKE, REAL, mixed
from unmask.train.frozen import Freezing
from unmask.train.lesson_pairs import of_margins, weighed
from unmask.train.recipe import Recipe
from unmask.train.sets.item import Item
from unmask.train.team import Team


class ClipNetwork(Freezing):
    """Windows of RGB bytes, each (T, S, S, 3) → logits (B, 2)."""

    def __init__(self, network: Network, pixels: Pixels) -> None:
        super().__init__()
        self.network, self.pixels = network, pixels

    def forward(self, windows: Sequence[Tensor]) -> Tensor:
        lengths = [len(window) for window in windows]
        frames = torch.cat(list(windows))
        with mixed(frames.device):
            maps: Tensor = self.network.trunk(self.pixels(frames))
        return self.judged(maps, lengths)

    def judged(self, maps: Tensor, lengths: list[int]) -> Tensor:
        features = torch.split_with_sizes(maps.float().mean(dim=(2, 3)), lengths)
        padded = pad_sequence(list(features), batch_first=True)
        return self.network.score(padded, torch.tensor(lengths, device=maps.device)).logits

    def loss(self, windows: Sequence[Tensor], wanted: Tensor, recipe: Recipe) -> Tensor:
        return weighed(self(windows), wanted, recipe)


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Items whose clips lie in a folder; the main person's first window stands for each.

    Where windows have one frame, all of them stand for it, each judged alone.
    """

    items: tuple[Item, ...]
    folder: Path
    #: How they were cut, and the most frames of a window that are looked at.
    spec: ScanSpec
    frames: int

    def windows(self, number: int) -> list[Rgb]:
        item = self.items[number]
        if self.spec.moments == "first" or self.frames > 1:
            return [first_window(item, self.folder, self.spec)[: self.frames]]
        persons = load(item, self.folder, self.spec).persons
        return [window.frames for window in persons[0].windows]

    @cached_property
    def fake(self) -> NDArray[np.bool_]:
        return np.array([item.fake for item in self.items])

    def balanced(self, seed: tuple[int, int]) -> NDArray[np.intp]:
        """As many fakes as reals, drawn anew each epoch, in a mixed order."""
        rng = np.random.default_rng(seed)
        sides = [np.flatnonzero(self.fake == side) for side in (True, False)]
        fewest = min(map(len, sides))
        return rng.permutation(np.concatenate([rng.permutation(side)[:fewest] for side in sides]))


@dataclass(frozen=True, kw_only=True)
class ClipsLesson:
    recipe: Recipe
    clips: Clips
    held_out: Clips
    device: torch.device
    team_size: int = 1

    @property
    def steps(self) -> int:
        return max(1, len(self._order(0)) // (self.recipe.batch * self.team_size))

    def _order(self, epoch: int) -> NDArray[np.intp]:
        return self.clips.balanced((self.recipe.seed, epoch))

    def loss(self, model: nn.Module, epoch: int, step: int, team: Team) -> Tensor:
        start = (step * team.size + team.rank) * self.recipe.batch
        chosen = self._order(epoch)[start : start + self.recipe.batch]
        own = [self._tensors(self.clips, number) for number in chosen]
        classes = np.where(self.clips.fake[chosen], FAKE, REAL)
        wanted = torch.from_numpy(np.repeat(classes, list(map(len, own)))).to(self.device)
        assert isinstance(model, ClipNetwork)
        return model.loss([each for windows in own for each in windows], wanted, self.recipe)

    def validate(self, model: nn.Module) -> dict[str, float]:
        logits = [
            model(self._tensors(self.held_out, number)).mean(dim=0)
            for number in range(len(self.held_out.items))
        ]
        margins = torch.stack([each[FAKE] - each[REAL] for each in logits])
        return of_margins(margins.double().cpu().numpy(), self.held_out.fake)

    def _tensors(self, clips: Clips, number: int) -> list[Tensor]:
        return [torch.from_numpy(each).to(self.device) for each in clips.windows(int(number))]
