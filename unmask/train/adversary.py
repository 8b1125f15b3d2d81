"""An adversary who knows the weights and takes one step: each pixel moved a little the worst way.

The step follows the sign of the slope of the margin (Goodfellow et al.), down for fakes and up for
reals, in whole levels so that the picture stays a picture. One step is the weakest of such attacks:
a model that falls here falls to all of them, one that stands has shown little.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from unmask.model.bundle import Bundle
from unmask.model.clips import Frames, PersonFrames
from unmask.model.network import Network
from unmask.model.pixels import WHITE, Pixels
from unmask.model.predict import build

#: Levels of 255 that each pixel may move.
LEVELS = 2
#: Frames that go back through the trunk at once.
_CHUNK = 32

#: The window's frames, and whether it is fake, to worse frames.
Attack = Callable[[Frames, bool], Frames]


def one_step(bundle: Bundle, device: torch.device, levels: int = LEVELS) -> Attack:
    network = build(bundle).to(device)
    pixels = Pixels(bundle.description).to(device)
    fake_first = bundle.description.classes == "fake,real"

    def attack(frames: Frames, fake: bool) -> Frames:
        planes = torch.from_numpy(np.ascontiguousarray(frames)).to(device).float()
        slopes = _slopes(network, pixels, planes, towards_first=fake_first)
        moved = planes + slopes.sign() * (-levels if fake else levels)
        return moved.clamp(0, WHITE).to(torch.uint8).cpu().numpy()

    return attack


def attacked_person(person: PersonFrames, attack: Attack, fake: bool) -> PersonFrames:
    windows = (window._replace(frames=attack(window.frames, fake)) for window in person.windows)
    return PersonFrames(person=person.person, windows=tuple(windows))


def _slopes(network: Network, pixels: Pixels, planes: Tensor, *, towards_first: bool) -> Tensor:
    """How the margin changes with each pixel, chunk by chunk so that memory stays small."""
    with torch.no_grad():
        found = [network.features(pixels(some)) for some in torch.split(planes, _CHUNK)]
    features = torch.cat(found).requires_grad_()
    [wanted] = torch.autograd.grad(_margin(network, features, towards_first), features)
    parts = zip(torch.split(planes, _CHUNK), torch.split(wanted, _CHUNK), strict=True)
    return torch.cat([_back(network, pixels, some, slopes) for some, slopes in parts])


def _back(network: Network, pixels: Pixels, planes: Tensor, slopes: Tensor) -> Tensor:
    leaf = planes.clone().requires_grad_()
    [found] = torch.autograd.grad(network.features(pixels(leaf)), leaf, slopes)
    return found


def _margin(network: Network, features: Tensor, towards_first: bool) -> Tensor:
    lengths = torch.tensor([len(features)], device=features.device)
    with torch.backends.cudnn.flags(enabled=False):
        scores = network.score(features[None], lengths)
    # Where every frame is judged alone, its own logits are what it has reasons for.
    alone = network.architecture.recurrence == "frame"
    logits = scores.frame_logits if alone else scores.logits
    margin = (logits[..., 0] - logits[..., 1]).sum()
    return margin if towards_first else -margin
