"""The residual blocks of a trunk, in the order in which pictures pass them."""

from torch import nn

from unmask.errors import Unusable

#: MobileNetV2's, EfficientNet's (MBConv) and ResNeXt's, as torchvision calls them.
_BLOCKS = frozenset({"InvertedResidual", "MBConv", "Bottleneck"})


def block_names(trunk: nn.Module) -> list[str]:
    """17 in `mobilenet_v2`, 16 in `resnext50_32x4d`, 32 in `efficientnet_b4`."""
    return [name for name, module in trunk.named_modules() if type(module).__name__ in _BLOCKS]


def block_name(trunk: nn.Module, number: int) -> str:
    """Counted from 1."""
    names = block_names(trunk)
    if not 1 <= number <= len(names):
        raise Unusable(f"there is no block {number}: this trunk has {len(names)}")
    return names[number - 1]


def channels_after(block: nn.Module) -> int:
    """How many maps a block hands on: as many as its last normalisation scales."""
    norms = [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]
    return norms[-1].num_features
