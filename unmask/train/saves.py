"""Checkpoints: tensors as safetensors, the rest as JSON in its header. Nothing is unpickled.

A checkpoint takes its name only when it is whole, so a kill at any moment leaves the last good one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from unmask.errors import Unusable

LAST = "last.safetensors"
BEST = "best.safetensors"
_FACTS = "facts"


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    part = path.with_suffix(".part")
    safetensors.torch.save_file(whole, part, metadata={_FACTS: json.dumps(facts)})
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
            return {name: file.get_tensor(name) for name in sorted(file.keys())}, facts
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise Unusable(f"checkpoint {path} can't be read: {error}") from error


def with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def under_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
