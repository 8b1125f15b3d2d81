"""Networks of which parts may stand still while the rest learns."""

from typing import Self

from torch import nn


class Freezing(nn.Module):
    """What is frozen stays as when predicting: no gradient, no dropout, no running statistics."""

    _still: tuple[nn.Module, ...] = ()

    def freeze(self, trunk: nn.Module, trained_blocks: int | None) -> None:
        """All of the trunk before its last so many blocks; 0 is the whole trunk, None nothing."""
        if trained_blocks is None:
            return
        from unmask.train.variants.freezing import standing_still

        self._still = tuple(standing_still(trunk, trained_blocks))
        for module in self._still:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self._still:
            module.eval()
        return self
