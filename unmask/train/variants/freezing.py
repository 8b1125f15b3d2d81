"""Which parts of a trunk stand still where only its last blocks learn."""

from torch import nn

from unmask.errors import Unusable
from unmask.model.variants.attention import Heads, Texture
from unmask.model.variants.blocks import block_names
from unmask.model.variants.transformer import SpatialTransformer

#: What is built around a trunk, and never has first weights of its own.
_ALWAYS_LEARN = (SpatialTransformer, Heads, Texture)


def standing_still(trunk: nn.Module, trained_blocks: int) -> list[nn.Module]:
    """The layers before the first block that learns, but for those that have learned nothing."""
    modules = list(trunk.named_modules())
    first = _first_trained(trunk, trained_blocks)
    names = [name for name, _ in modules]
    before = modules[: names.index(first) if first is not None else len(modules)]
    learns = [name for name, module in modules if isinstance(module, _ALWAYS_LEARN)]
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
