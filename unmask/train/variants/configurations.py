"""The four configurations of the papers' comparison: what of a pretrained trunk learns anew.

They are told for a trunk of 32 MBConv blocks (`efficientnet_b4` has as many). In another trunk the
same shares of its depth are meant: a quarter, a half, and behind five eighths.

| blocks in the trunk | last quarter | last half | transformer after, then trained |
|---|---|---|---|
| 32, `efficientnet_b4` | 8 | 16 | 20, 12 |
| 16, `resnext50_32x4d` | 4 | 8 | 10, 6 |
| 17, `mobilenet_v2` | 4 | 8 | 11, 6 |
"""

import dataclasses

from unmask.errors import Unusable
from unmask.model.trunks import TRUNKS
from unmask.model.variants.blocks import block_names
from unmask.train.recipe import Recipe

_OF = 32
_LAST_FEW, _LAST_MANY, _TRANSFORMER_AFTER = 8, 16, 20
#: In fewer blocks the four would not differ.
_LEAST = 8


def configurations(recipe: Recipe) -> dict[str, Recipe]:
    """The recipe four times over, under names for a table."""
    kind = TRUNKS[recipe.trunk]
    count = len(block_names(kind.make()))
    if count < _LEAST or kind.base is not None:
        raise Unusable(f"the four configurations need a plain trunk of blocks, not {recipe.trunk}")
    few, many, after = (
        round(count * each / _OF) for each in (_LAST_FEW, _LAST_MANY, _TRANSFORMER_AFTER)
    )
    changes: dict[str, tuple[int, int | None]] = {
        "trunk frozen": (0, None),
        f"last {few} blocks": (few, None),
        f"last {many} blocks": (many, None),
        f"transformer after block {after}": (count - after, after),
    }
    return {
        name: dataclasses.replace(
            recipe,
            name=f"{recipe.name}-{number}",
            trained_blocks=trained,
            transformer_after=transformer,
        )
        for number, (name, (trained, transformer)) in enumerate(changes.items(), start=1)
    }
