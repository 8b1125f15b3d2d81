"""A spatial transformer (Jaderberg et al.): maps turned, moved and scaled as a small net says.

    maps ─▶ 1×1 convolution, 4×4 means, two layers ─▶ six numbers ─▶ grid ─▶ maps, sampled there

It begins as the identity, so a trunk with first weights answers at first what it did without it.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.model.variants.blocks import block_name, channels_after

_FEW, _GRID, _HIDDEN = 16, 4, 32
#: Rotation and scale beside the shift, row by row, that leave everything where it is.
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class SpatialTransformer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(channels, _FEW, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(_GRID), nn.Flatten(),
            nn.Linear(_FEW * _GRID * _GRID, _HIDDEN), nn.ReLU(),
        )  # fmt: skip
        self.say = nn.Linear(_HIDDEN, len(_IDENTITY))
        with torch.no_grad():
            self.say.weight.zero_()
            self.say.bias.copy_(torch.tensor(_IDENTITY))

    def forward(self, maps: Tensor) -> Tensor:
        """In float32: sampling knows no bf16 on a CPU."""
        change = self.say(self.look(maps)).float().view(-1, 2, 3)
        shape: Any = maps.size()
        grid = functional.affine_grid(change, shape, align_corners=False)
        found = functional.grid_sample(
            maps.float(), grid, padding_mode="border", align_corners=False
        )
        return found.to(maps.dtype)


def with_transformer(trunk: nn.Module, after: int) -> nn.Module:
    """Puts one behind that block (counted from 1), in place."""
    name = block_name(trunk, after)
    block = trunk.get_submodule(name)
    parts = [("block", block), ("transformer", SpatialTransformer(channels_after(block)))]
    trunk.set_submodule(name, nn.Sequential(OrderedDict(parts)))
    return trunk
