"""Parts of a network that stand still while the rest learns."""

from typing import Self

from torch import nn

from unmask.errors import Unusable
from unmask.model.variants.blocks import block_names
from unmask.model.variants.transformer import SpatialTransformer


class Freezing(nn.Module):
    """What is frozen stays as when predicting: no gradient, no dropout, no running statistics."""

    _still: tuple[nn.Module, ...] = ()

    def freeze(self, trunk: nn.Module, trained_blocks: int | None) -> None:
        """All of the trunk before its last so many blocks; 0 is the whole trunk, None nothing."""
        self._still = tuple(standing_still(trunk, trained_blocks))
        for module in self._still:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self._still:
            module.eval()
        return self


def standing_still(trunk: nn.Module, trained_blocks: int | None) -> list[nn.Module]:
    """The layers before the first block that learns; a spatial transformer always learns."""
    if trained_blocks is None:
        return []
    modules = list(trunk.named_modules())
    first = _first_trained(trunk, trained_blocks)
    names = [name for name, _ in modules]
    before = modules[: names.index(first) if first is not None else len(modules)]
    learns = [name for name, module in modules if isinstance(module, SpatialTransformer)]
    return [
        module
        for name, module in before
        if not list(module.children()) and not name.startswith(tuple(learns) or ("\0",))
    ]


def _first_trained(trunk: nn.Module, trained_blocks: int) -> str | None:
    names = block_names(trunk)
    if trained_blocks > len(names):
        raise Unusable(f"{trained_blocks} blocks can't be trained: this trunk has {len(names)}")
    return names[-trained_blocks] if trained_blocks else None
