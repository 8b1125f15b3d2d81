"""Trunks: pictures (N, 3, S, S) → maps (N, C, s, s), of which the mean is a frame's feature."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from unmask.model import vision
from unmask.model.description import Trunk


@dataclass(frozen=True, kw_only=True)
class TrunkKind:
    """How to make one, and how wide its features are."""

    make: Callable[[], nn.Module]
    features: int


def _resnext50() -> nn.Module:
    whole = vision.resnext50_32x4d(weights=None)
    stages = [
        (name, part) for name, part in whole.named_children() if name not in ("avgpool", "fc")
    ]
    return nn.Sequential(OrderedDict(stages))


def _mobilenet_v2() -> nn.Module:
    features: nn.Module = vision.mobilenet_v2(weights=None).features
    return features


def _efficientnet_lite0() -> nn.Module:
    """B0 without squeeze and excitation, and with ReLU6: only what every machine does fast."""
    features: nn.Module = vision.efficientnet_b0(weights=None).features
    for name, module in list(features.named_modules()):
        if isinstance(module, vision.SqueezeExcitation):
            features.set_submodule(name, nn.Identity())
        elif isinstance(module, nn.SiLU):
            features.set_submodule(name, nn.ReLU6(inplace=True))
    return features


#: A further trunk (attention heads, a spatial transformer) is one entry here and one name in
#: `description.Trunk`.
TRUNKS: dict[Trunk, TrunkKind] = {
    "resnext50_32x4d": TrunkKind(make=_resnext50, features=2048),
    "mobilenet_v2": TrunkKind(make=_mobilenet_v2, features=1280),
    "efficientnet_lite0": TrunkKind(make=_efficientnet_lite0, features=1280),
}
