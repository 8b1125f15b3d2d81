"""Learning from a trained bundle beside the labels: its maps and its margins, picture by picture.

A label says one bit of a picture; a teacher's maps say thousands of numbers. So a large trunk
without first weights gets far in steps that labels alone would leave it untrained after.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.errors import Unusable
from unmask.model.bundle import Bundle
from unmask.model.description import Description
from unmask.model.pixels import Pixels
from unmask.model.predict import build
from unmask.model.trunks import TRUNKS, make_trunk
from unmask.train.frames import FAKE, REAL, FrameNetwork, mixed
from unmask.train.recipe import Recipe

#: Maps of larger sides are edges and colours, which every trunk finds by itself.
LARGEST_SIDE = 28
#: Channels that hardly vary are not blown up to count as much as the others.
_LEAST_SPREAD = 1e-3


class Teacher(nn.Module):
    """A bundle's network, standing still, that judges frame by frame."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        self.description = bundle.description
        self.fake = bundle.description.classes.split(",").index("fake")
        self.pixels = Pixels(bundle.description)
        self.network = build(bundle).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "Teacher":
        """It never learns."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, frames: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        """Maps by their side, and how probably each frame is fake."""
        with mixed(frames.device):
            maps = maps_by_side(self.network.trunk, self.pixels(frames))
        one = torch.ones(len(frames), dtype=torch.long, device=frames.device)
        features = _deepest(maps).float().mean(dim=(2, 3))[:, None]
        logits = self.network.score(features, one).logits.float()
        return maps, logits.softmax(dim=1)[:, self.fake]


class Pupil(FrameNetwork):
    """Beside its own maps it tells the teacher's, over bridges that are thrown away in the end."""

    def __init__(self, recipe: Recipe, description: Description, teacher: Description) -> None:
        super().__init__(recipe, description)
        ours, theirs = _widths(description), _widths(teacher)
        self.shared = [side for side in ours if side in theirs]
        if not self.shared:
            raise Unusable(
                f"this trunk's maps have sides {list(ours)} and the teacher's {list(theirs)}; "
                "name a teacher whose trunk shrinks pictures alike"
            )
        self.bridges = nn.ModuleList(nn.Conv2d(ours[side], theirs[side], 1) for side in self.shared)

    def forward_beside(self, frames: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        """What it takes the teacher's maps to be, and its own logits."""
        with mixed(frames.device):
            maps = maps_by_side(self.trunk, self.pixels(frames))
            bridged = zip(self.shared, self.bridges, strict=True)
            told = {side: bridge(maps[side]) for side, bridge in bridged}
        return told, self.judged(_deepest(maps))


def taught(pupil: Pupil, teacher: Teacher, frames: Tensor) -> tuple[Tensor, Tensor]:
    """The pupil's logits, and how far it is from its teacher: in its maps and in its margins.

    The first part is 0 where the teacher's maps are told exactly, 1 where only their means are.
    """
    wanted, probable = teacher(frames)
    told, logits = pupil.forward_beside(frames)
    gaps = [functional.mse_loss(own.float(), _level(wanted[side])) for side, own in told.items()]
    margins = logits[:, FAKE] - logits[:, REAL]
    apart = functional.binary_cross_entropy_with_logits(margins, probable)
    return logits, torch.stack(gaps).mean() + apart


def maps_by_side(trunk: nn.Module, planes: Tensor) -> dict[int, Tensor]:
    """The last map of each side from `LARGEST_SIDE` down; the very last is the trunk's own."""
    found: dict[int, Tensor] = {}
    for part in trunk.children():
        planes = part(planes)
        found[planes.shape[-1]] = planes
    return {side: maps for side, maps in found.items() if side <= LARGEST_SIDE}


def _deepest(maps: Mapping[int, Tensor]) -> Tensor:
    return maps[min(maps)]


def _level(maps: Tensor) -> Tensor:
    """Each channel with mean 0 and spread 1 over the batch."""
    plain = maps.float()
    spread, mean = torch.std_mean(plain, dim=(0, 2, 3), keepdim=True)
    return (plain - mean) / spread.clamp(min=_LEAST_SPREAD)


def _widths(description: Description) -> dict[int, int]:
    """Channels by side."""
    trunk = make_trunk(description.architecture)
    if not isinstance(trunk, nn.Sequential):
        known = ", ".join(name for name in TRUNKS if name != "multi_attention_b4")
        raise Unusable(f"{description.architecture.trunk} has no row of maps; take one of {known}")
    with torch.device("meta"):
        side = description.spec.size
        maps = maps_by_side(trunk.to("meta").eval(), torch.zeros(1, 3, side, side))
    return {side: each.shape[1] for side, each in maps.items()}
