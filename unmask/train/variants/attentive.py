"""How the multi-attentional network learns: each batch twice, and heads kept apart."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unmask.model.network import Network
from unmask.model.pixels import Pixels
from unmask.model.variants.attention import MultiAttention
from unmask.train.frames import FAKE, mixed
from unmask.train.lesson_clips import ClipNetwork
from unmask.train.lesson_pairs import weighed
from unmask.train.recipe import Recipe
from unmask.train.variants.regional import Regional, blurred_where_seen


class AttentiveClips(ClipNetwork):
    def __init__(self, network: Network, pixels: Pixels) -> None:
        super().__init__(network, pixels)
        self.regional = Regional()

    def loss(self, windows: Sequence[Tensor], wanted: Tensor, recipe: Recipe) -> Tensor:
        """As they are, blurred where a head looks, and the heads' own loss."""
        trunk = self.network.trunk
        assert isinstance(trunk, MultiAttention)
        lengths = [len(window) for window in windows]
        planes = self.pixels(torch.cat(list(windows)))
        with mixed(planes.device):
            seen = trunk.seen(planes)
            worse = trunk(blurred_where_seen(planes, seen.attention.detach()))
        plain, blurred = (
            weighed(self.judged(maps, lengths), wanted, recipe) for maps in (seen.maps, worse)
        )
        of_frames = (wanted == FAKE).repeat_interleave(torch.tensor(lengths, device=wanted.device))
        apart: Tensor = self.regional(seen.heads, of_frames)
        return (plain + blurred) / 2 + recipe.independence * apart
