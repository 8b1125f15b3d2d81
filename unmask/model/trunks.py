"""Trunks: pictures (N, 3, S, S) → maps (N, C, s, s), of which the mean is a frame's feature."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from unmask.model import vision
from unmask.model.description import Architecture, Trunk


def _as_it_is(plain: nn.Module) -> nn.Module:
    return plain


@dataclass(frozen=True, kw_only=True)
class TrunkKind:
    """How to make one, and how wide its features are."""

    plain: Callable[[], nn.Module]
    features: int
    #: What is built around the plain trunk, and whose first weights that takes.
    around: Callable[[nn.Module], nn.Module] = _as_it_is
    base: Trunk | None = None

    def make(self, plain: nn.Module | None = None) -> nn.Module:
        return self.around(self.plain() if plain is None else plain)


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


def _efficientnet_b4() -> nn.Module:
    features: nn.Module = vision.efficientnet_b4(weights=None).features
    return features


def _with_heads(plain: nn.Module) -> nn.Module:
    from unmask.model.variants.attention import MultiAttention

    return MultiAttention(plain)


def _compact() -> nn.Module:
    from unmask.model.variants.compact import compact

    return compact()


#: A further trunk is one entry here and one name in `description.Trunk`.
TRUNKS: dict[Trunk, TrunkKind] = {
    "resnext50_32x4d": TrunkKind(plain=_resnext50, features=2048),
    "mobilenet_v2": TrunkKind(plain=_mobilenet_v2, features=1280),
    "efficientnet_lite0": TrunkKind(plain=_efficientnet_lite0, features=1280),
    "efficientnet_b4": TrunkKind(plain=_efficientnet_b4, features=1792),
    "multi_attention_b4": TrunkKind(
        plain=_efficientnet_b4, features=2048, around=_with_heads, base="efficientnet_b4"
    ),
    "compact": TrunkKind(plain=_compact, features=128),
}


def make_trunk(architecture: Architecture, plain: nn.Module | None = None) -> nn.Module:
    """As the description says; around a plain trunk at hand, if there is one."""
    trunk = TRUNKS[architecture.trunk].make(plain)
    if architecture.transformer_after is None:
        return trunk
    from unmask.model.variants.transformer import with_transformer

    return with_transformer(trunk, architecture.transformer_after)
