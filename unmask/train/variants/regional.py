"""What keeps attention heads apart, and what makes them look elsewhere (after Zhao et al.).

Regional independence: each head has a centre among its features. A face's feature should lie near
its head's centre (reals nearer than fakes), and the centres far from each other.

Attention-guided augmentation: the picture is blurred where one head, drawn anew for each face,
looks; the network must then tell from what the other heads see.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.model.variants.attention import HEADS, TEXTURES

#: Squared distances that cost nothing: of reals and of fakes to their centre; and between centres.
_NEAR_REAL, _NEAR_FAKE, _APART = 0.05, 0.1, 0.2
#: How far centres follow each batch.
_FOLLOW = 0.05
#: The blur is a picture of a fifth of the side, made large again.
_COARSE = 0.2


class Regional(nn.Module):
    centres: Tensor

    def __init__(self) -> None:
        super().__init__()
        start = functional.normalize(torch.randn(HEADS, TEXTURES), dim=1)
        self.register_buffer("centres", start)

    def forward(self, heads: Tensor, fake: Tensor) -> Tensor:
        """`heads` is (N, K, C); the loss is a mean over faces and heads."""
        found = functional.normalize(heads.float(), dim=2)
        centres = self.centres + _FOLLOW * (found.mean(dim=0) - self.centres)
        near = torch.where(fake, _NEAR_FAKE, _NEAR_REAL)[:, None]
        pull = (((found - centres) ** 2).sum(dim=2) - near).relu().mean()
        gaps = ((centres[:, None] - centres[None]) ** 2).sum(dim=2)
        pairs = ~torch.eye(HEADS, dtype=torch.bool, device=gaps.device)
        push = (_APART - gaps[pairs]).relu().mean()
        if self.training:
            self.centres.copy_(centres.detach())
        return pull + push


def blurred_where_seen(planes: Tensor, attention: Tensor) -> Tensor:
    """Each picture (N, 3, S, S) blurred where one of its heads (N, K, s, s) looks hardest."""
    chosen = torch.randint(attention.shape[1], (len(planes),), device=planes.device)
    one = attention[torch.arange(len(planes), device=planes.device), chosen][:, None].float()
    lowest, highest = one.amin(dim=(2, 3), keepdim=True), one.amax(dim=(2, 3), keepdim=True)
    shares = (one - lowest) / (highest - lowest).clamp(min=torch.finfo(one.dtype).tiny)
    where = functional.interpolate(
        shares, size=planes.shape[-2:], mode="bilinear", align_corners=False
    )
    few = functional.interpolate(planes, scale_factor=_COARSE, mode="area")
    blurred = functional.interpolate(
        few, size=planes.shape[-2:], mode="bilinear", align_corners=False
    )
    return planes * (1 - where) + blurred * where
