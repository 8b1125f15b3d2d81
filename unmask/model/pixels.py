"""From face frames as bytes to what a trunk takes in."""

import torch
from torch import Tensor, nn

from unmask.model.description import Description

WHITE = 255.0


class Pixels(nn.Module):
    """RGB bytes (N, S, S, 3) → normalised planes (N, 3, S, S) in the bundle's colour order.

    The permuted bytes already lie in the channels_last order that fast kernels want.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, description: Description) -> None:
        super().__init__()
        mean, deviation = (torch.tensor(v) for v in (description.mean, description.deviation))
        self.flip = description.colours == "bgr"
        if self.flip:
            mean, deviation = mean.flip(0), deviation.flip(0)
        self.register_buffer("scale", 1 / (deviation * WHITE), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        planes = torch.addcmul(self.shift, frames.float(), self.scale)
        ordered = planes.flip(3) if self.flip else planes
        return ordered.permute(0, 3, 1, 2)
