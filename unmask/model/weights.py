"""A network's numbers, to and from a bundle's safetensors file.

fp32   as they are
bf16   half the size
int8   matrices and kernels as int8 with one scale per output row (`NAME::scale`), the
       small vectors as they are: a quarter of the size
seeded no file at all
"""

from collections.abc import Mapping
from typing import Literal

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from unmask.model.bundle import BadBundle, Bundle, read_checked
from unmask.model.description import Weights
from unmask.model.seeded import seeded_state

State = dict[str, Tensor]
StoredEncoding = Literal["fp32", "bf16", "int8"]

SCALE = "::scale"
INT8_MAX = 127


def read_state(bundle: Bundle, weights: Weights, shapes: Mapping[str, torch.Size]) -> State:
    """One network's weights as float32, each one there, of the right shape and finite."""
    if weights.seed is not None:
        return seeded_state(shapes, weights.seed)
    assert weights.file is not None
    assert weights.sha256 is not None
    raw = read_checked(bundle, weights.file, weights.sha256)
    try:
        state = decode(safetensors.torch.load(raw))
    except SafetensorError as error:
        raise BadBundle(
            f"{bundle.folder / weights.file} is no safetensors file: {error}"
        ) from error
    check_state(state, shapes, of=str(bundle.folder / weights.file))
    return state


def encode(state: Mapping[str, Tensor], encoding: StoredEncoding) -> bytes:
    """The bytes of a safetensors file."""
    stored: State = {}
    for name, tensor in sorted(state.items()):
        stored |= _ENCODERS[encoding](name, tensor.detach().cpu().contiguous())
    return safetensors.torch.save(stored)


def decode(stored: State) -> State:
    scales = {name: scale for name, scale in stored.items() if name.endswith(SCALE)}
    plain = {name: tensor for name, tensor in stored.items() if name not in scales}
    return {name: _widen(tensor, scales.get(name + SCALE)) for name, tensor in plain.items()}


def check_state(state: State, shapes: Mapping[str, torch.Size], *, of: str) -> None:
    """Names what is missing, surplus, misshapen or not finite."""
    wrong = {
        "missing": shapes.keys() - state.keys(),
        "surplus": state.keys() - shapes.keys(),
        "of another shape": {
            name for name in shapes.keys() & state.keys() if state[name].shape != shapes[name]
        },
        "not finite": {name for name in state if not bool(torch.isfinite(state[name]).all())},
    }
    found = [f"{what}: {shorten(names)}" for what, names in wrong.items() if names]
    if found:
        raise BadBundle(f"{of}: tensors don't fit the architecture ({'; '.join(found)})")


def shorten(names: set[str], most: int = 5) -> str:
    """The first few names, and how many more."""
    first = ", ".join(sorted(names)[:most])
    return first if len(names) <= most else f"{first} and {len(names) - most} more"


def _widen(tensor: Tensor, scale: Tensor | None) -> Tensor:
    if scale is not None:
        return tensor.float() * scale.view(-1, *[1] * (tensor.dim() - 1))
    return tensor.float() if tensor.is_floating_point() else tensor


def _as_is(name: str, tensor: Tensor) -> State:
    return {name: tensor}


def _bf16(name: str, tensor: Tensor) -> State:
    return {name: tensor.bfloat16() if tensor.is_floating_point() else tensor}


def _int8(name: str, tensor: Tensor) -> State:
    if tensor.dim() < 2 or not tensor.is_floating_point():
        return {name: tensor}
    largest = tensor.flatten(1).abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
    scale = largest / INT8_MAX
    rows = tensor / scale.view(-1, *[1] * (tensor.dim() - 1))
    return {name: rows.round().to(torch.int8), name + SCALE: scale}


_ENCODERS = {"fp32": _as_is, "bf16": _bf16, "int8": _int8}
