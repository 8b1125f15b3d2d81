"""From face frames as bytes to what a trunk takes in."""

import torch
from torch import Tensor, nn

from unmask.model.description import Description

WHITE = 255.0
#: What red, green and blue add to light, as video counts it (BT.601).
LIGHT = (0.299, 0.587, 0.114)


class Pixels(nn.Module):
    """RGB bytes (N, S, S, 3) → normalised planes (N, 3, S, S) in the bundle's colour order, or each
    of light alone.

    The permuted bytes already lie in the channels_last order that fast kernels want.
    """

    scale: Tensor
    shift: Tensor
    light: Tensor

    def __init__(self, description: Description) -> None:
        super().__init__()
        mean, deviation = (torch.tensor(v) for v in (description.mean, description.deviation))
        self.flip = description.colours == "bgr"
        self.grey = description.colours == "grey"
        if self.flip:
            mean, deviation = mean.flip(0), deviation.flip(0)
        self.register_buffer("scale", 1 / (deviation * WHITE), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)
        self.register_buffer("light", torch.tensor(LIGHT), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        values = frames.float()
        if self.grey:
            values = (values @ self.light)[..., None].expand(values.shape)
        planes = torch.addcmul(self.shift, values, self.scale)
        ordered = planes.flip(3) if self.flip else planes
        return ordered.permute(0, 3, 1, 2)
