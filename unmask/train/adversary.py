"""An adversary who knows the weights and takes one step: each pixel moved a little the worst way.

The step follows the sign of the slope of the margin (Goodfellow et al.), down for fakes and up for
reals, in whole levels so that the picture stays a picture. The margin is the one that judges: the
weighed sum of all networks that are asked, of a picture over all looks. One step is the weakest of
such attacks: a model that falls here falls to all of them, one that stands has shown little.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from unmask.model.bundle import Bundle
from unmask.model.clips import Frames, PersonFrames
from unmask.model.description import KINDS, Judged, Look
from unmask.model.looks import is_picture
from unmask.model.network import Network
from unmask.model.pixels import WHITE, Pixels
from unmask.model.predict import build, build_others

#: Levels of 255 that each pixel may move.
LEVELS = 2
#: Frames that go back through the trunk at once.
_CHUNK = 32

#: Somebody's frames, and whether they are fake, to worse frames.
Attack = Callable[[PersonFrames, bool], PersonFrames]


class Judge(NamedTuple):
    """A network, what it sees of a clip, and how much its word counts."""

    share: float
    network: Network
    pixels: Pixels


def one_step(bundle: Bundle, device: torch.device, levels: int = LEVELS) -> Attack:
    judges = {kind: _judges(bundle, kind, device) for kind in KINDS}
    fake_first = bundle.description.classes == "fake,real"

    def moved(frames: Frames, fake: bool, *, picture: bool) -> Frames:
        planes = torch.from_numpy(np.ascontiguousarray(frames)).to(device).float()
        if picture:
            looks = bundle.description.looks
            slopes = _slopes_of_picture(judges["pictures"], planes, looks)
        else:
            slopes = torch.stack([_slopes(judge, planes) for judge in judges["films"]]).sum(dim=0)
        down = fake == fake_first
        worse = planes + slopes.sign() * (-levels if down else levels)
        return worse.clamp(0, WHITE).to(torch.uint8).cpu().numpy()

    def attack(person: PersonFrames, fake: bool) -> PersonFrames:
        picture = is_picture(person)
        windows = (
            window._replace(frames=moved(window.frames, fake, picture=picture))
            for window in person.windows
        )
        return PersonFrames(person=person.person, windows=tuple(windows))

    return attack


def _judges(bundle: Bundle, kind: Judged, device: torch.device) -> list[Judge]:
    """Whoever is asked about clips of a kind."""
    said = bundle.description
    others = [
        Judge(opinion.share, network.to(device), Pixels(said.seen_by(opinion)).to(device))
        for opinion, network in build_others(bundle)
        if kind in opinion.on
    ]
    own = Judge(said.own_share(kind), build(bundle).to(device), Pixels(said).to(device))
    return [own, *others]


def _slopes_of_picture(judges: Sequence[Judge], planes: Tensor, looks: Sequence[Look]) -> Tensor:
    """Through every look and every network at once: they are few."""
    leaf = planes.clone().requires_grad_()
    views = torch.cat([leaf, *(_seen(leaf, look) for look in looks)])
    said = [share * _margin(its, its.features(see(views))[:, None]) for share, its, see in judges]
    [found] = torch.autograd.grad(torch.stack(said).sum(), leaf)
    return found


def _seen(planes: Tensor, look: Look) -> Tensor:
    """As `looks.seen`, but a slope goes through it; (1, S, S, 3)."""
    side = planes.shape[1]
    cut = round(look.closer * side)
    inner = planes[:, cut : side - cut, cut : side - cut].permute(0, 3, 1, 2)
    if cut:
        inner = functional.interpolate(inner, size=(side, side), mode="bicubic")
    return (inner.flip(3) if look.mirrored else inner).permute(0, 2, 3, 1)


def _slopes(judge: Judge, planes: Tensor) -> Tensor:
    """How the margin changes with each pixel, chunk by chunk so that memory stays small."""
    share, network, pixels = judge
    with torch.no_grad():
        found = [network.features(pixels(some)) for some in torch.split(planes, _CHUNK)]
    features = torch.cat(found).requires_grad_()
    [wanted] = torch.autograd.grad(share * _margin(network, features[None]), features)
    parts = zip(torch.split(planes, _CHUNK), torch.split(wanted, _CHUNK), strict=True)
    return torch.cat([_back(network, pixels, some, slopes) for some, slopes in parts])


def _back(network: Network, pixels: Pixels, planes: Tensor, slopes: Tensor) -> Tensor:
    leaf = planes.clone().requires_grad_()
    [found] = torch.autograd.grad(network.features(pixels(leaf)), leaf, slopes)
    return found


def _margin(network: Network, windows: Tensor) -> Tensor:
    """Of the first class, over the features (B, T, F) of all windows."""
    count, length = windows.shape[:2]
    lengths = torch.full((count,), length, device=windows.device)
    with torch.backends.cudnn.flags(enabled=False):
        scores = network.score(windows, lengths)
    # Where every frame is judged alone, its own logits are what it has reasons for.
    alone = network.architecture.recurrence == "frame"
    logits = scores.frame_logits if alone else scores.logits
    return (logits[..., 0] - logits[..., 1]).sum()
