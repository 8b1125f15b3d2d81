"""Frames judged alone: trunk → mean → linear. What a trunk learns before its LSTM does."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from unmask.errors import Unusable
from unmask.model.description import Description
from unmask.model.device import choose_precision
from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.trunks import TRUNKS, make_trunk
from unmask.train.frozen import Freezing
from unmask.train.quick import quicken
from unmask.train.recipe import Recipe

#: Position of each class among the logits.
FAKE, REAL = 0, 1


class FrameNetwork(Freezing):
    """RGB bytes (N, S, S, 3) → logits (N, 2): fake, real."""

    def __init__(self, recipe: Recipe, description: Description) -> None:
        super().__init__()
        kind = TRUNKS[recipe.trunk]
        self.pixels = Pixels(description)
        made = make_trunk(description.architecture)
        self.trunk = made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        quicken(self.trunk)
        self.freeze(self.trunk, recipe.trained_blocks)
        self.dropout = nn.Dropout(recipe.dropout)
        self.linear = nn.Linear(kind.features, 2)

    def features(self, frames: Tensor) -> Tensor:
        with mixed(frames.device):
            maps: Tensor = self.trunk(self.pixels(frames))
        return _features(maps)

    def judged(self, maps: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.dropout(_features(maps)))
        return logits

    def forward(self, frames: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.dropout(self.features(frames)))
        return logits


def _features(maps: Tensor) -> Tensor:
    return maps.float().mean(dim=(2, 3))


def take_over(model: FrameNetwork, network: Network) -> None:
    """The trunk of a trained network; what judges its features is learned anew."""
    wanted, found = model.state_dict(), network.trunk.state_dict()
    shapes = {name: wanted[f"trunk.{name}"].shape for name in model.trunk.state_dict()}
    if {name: tensor.shape for name, tensor in found.items()} != shapes:
        raise Unusable("the bundle has another trunk than the recipe; name a recipe that fits it")
    model.trunk.load_state_dict(found)


def mixed(device: torch.device) -> AbstractContextManager[object]:
    """bf16 where this device multiplies it directly."""
    if choose_precision(device) == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
