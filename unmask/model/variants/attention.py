"""Several attention heads over one EfficientNet-B4 (after Zhao et al., multi-attentional).

    picture ─shallow─▶ (32, s/4) ─middle─▶ (160, s/16) ─deep─▶ (1792, s/32)
                │                    └─ heads ─▶ A: K maps that say where to look
                └─ minus its own blur, dense layers ─▶ T: 64 maps of texture

    bilinear pooling: feature[k, c] = mean over places of A[k] · T[c]

What comes out are the products A[k]·T[c] themselves beside the deep maps. Their mean over space is
the pooled feature, so everything that holds for a plain trunk (heat, folding) holds here.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 4
TEXTURES = 64
_SHALLOW, _MIDDLE, _DEEP = 32, 160, 1792
FEATURES = HEADS * TEXTURES + _DEEP
#: Stages of the plain trunk that end the shallow and the middle part.
_SHALLOW_END, _MIDDLE_END = 3, 6
#: Side of the blur that is taken from shallow maps, and what each dense layer adds.
_BLUR, _GROWTH, _DENSE = 3, 32, 3


class Seen(NamedTuple):
    """(N, K·C + D, s, s), the heads' attention (N, K, t, t), and what each head found (N, K, C)."""

    maps: Tensor
    attention: Tensor
    heads: Tensor


class Texture(nn.Module):
    """What is fine in shallow maps, brought out by densely connected layers."""

    def __init__(self) -> None:
        super().__init__()
        widths = [_SHALLOW + _GROWTH * number for number in range(_DENSE)]
        self.layers = nn.ModuleList(_layer(width, _GROWTH, 3) for width in widths)
        self.last = _layer(_SHALLOW + _GROWTH * _DENSE, TEXTURES, 1)

    def forward(self, shallow: Tensor) -> Tensor:
        blurred = functional.avg_pool2d(
            shallow, _BLUR, stride=1, padding=_BLUR // 2, count_include_pad=False
        )
        fine = shallow - blurred
        for layer in self.layers:
            fine = torch.cat([fine, layer(fine)], dim=1)
        found: Tensor = self.last(fine)
        return found


def _layer(inputs: int, outputs: int, side: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Heads(nn.Sequential):
    """A map for each, which says where to look."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(_MIDDLE, HEADS, 1), nn.Sigmoid())


class MultiAttention(nn.Module):
    def __init__(self, plain: nn.Module) -> None:
        super().__init__()
        assert isinstance(plain, nn.Sequential)
        self.shallow = plain[:_SHALLOW_END]
        self.middle = plain[_SHALLOW_END:_MIDDLE_END]
        self.deep = plain[_MIDDLE_END:]
        self.heads = Heads()
        self.texture = Texture()

    def forward(self, pictures: Tensor) -> Tensor:
        return self.seen(pictures).maps

    def seen(self, pictures: Tensor) -> Seen:
        shallow = self.shallow(pictures)
        middle = self.middle(shallow)
        deep = self.deep(middle)
        attention = self.heads(middle)
        texture = self.texture(shallow)
        where = functional.interpolate(
            attention, size=texture.shape[-2:], mode="bilinear", align_corners=False
        )
        products = (where[:, :, None] * texture[:, None]).flatten(1, 2)
        few = functional.adaptive_avg_pool2d(products, deep.shape[-2:])
        heads = products.mean(dim=(2, 3)).unflatten(1, (HEADS, TEXTURES))
        return Seen(torch.cat([few, deep], dim=1), attention, heads)
