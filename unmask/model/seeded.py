"""Weights from a seed: the same numbers on every machine, at no cost in the repository.

They make the whole system run before anything is trained. The bits come from PCG64, whose
stream NumPy guarantees; turning 24 of them into a float is exact, so nothing depends on how
a machine was built.
"""

import hashlib
import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Mantissa of a float32.
_BITS = 24
#: The last normalisation of a residual branch: small, so that fifty layers don't explode.
_BRANCH_GAIN = 0.3


def seeded_state(shapes: Mapping[str, torch.Size], seed: int) -> dict[str, Tensor]:
    return {name: _tensor(name, shape, seed) for name, shape in shapes.items()}


def _tensor(name: str, shape: torch.Size, seed: int) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if name.endswith(("running_mean", "bias")):
        return torch.zeros(shape)
    if len(shape) == 1:
        gain = _BRANCH_GAIN if ".bn3." in name else 1.0
        return torch.full(shape, 1.0 if name.endswith("running_var") else gain)
    return torch.from_numpy(_uniform(f"{seed}:{name}", shape)) * _bound(name, shape)


def _bound(name: str, shape: torch.Size) -> float:
    """Half the width that keeps the size of what flows through: He et al., then 1/√width."""
    if not name.startswith("trunk"):
        return 1 / math.sqrt(shape[1])
    return math.sqrt(6 / math.prod(shape[1:]))


def _uniform(key: str, shape: torch.Size) -> NDArray[np.float32]:
    """Evenly from [-1, 1)."""
    count = math.prod(shape)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    words = np.random.PCG64(seed).random_raw((count + 1) // 2).astype("<u8").view("<u4")[:count]
    unit = (words >> (32 - _BITS)).astype(np.float32) * np.float32(2.0 ** (1 - _BITS))
    return (unit - np.float32(1)).reshape(tuple(shape))
