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
from unmask.wording import printable

State = dict[str, Tensor]
StoredEncoding = Literal["fp32", "bf16", "int8"]

SCALE = "::scale"
#: Batch normalisation counts batches; all other tensors hold floating numbers.
COUNTER = "num_batches_tracked"
#: How much of a tensor's name is said.
_SAID = 80
INT8_MAX = 127


def read_state(bundle: Bundle, weights: Weights, shapes: Mapping[str, torch.Size]) -> State:
    """One network's weights as float32, each one there, of the right shape and finite."""
    if weights.seed is not None:
        return seeded_state(shapes, weights.seed)
    assert weights.file is not None
    assert weights.sha256 is not None
    raw, of = read_checked(bundle, weights.file, weights.sha256), str(bundle.folder / weights.file)
    try:
        stored = safetensors.torch.load(raw)
    except SafetensorError as error:
        raise BadBundle(f"{of} is no safetensors file: {error}") from error
    except KeyError as error:
        raise BadBundle(f"{of}: torch has no numbers of type {error}") from error
    _check_scales(stored, of)
    state = decode(stored)
    check_state(state, shapes, of=of)
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
    """Refuses what doesn't fit, and says what that is."""
    found = misfits(state, shapes)
    if found:
        raise BadBundle(f"{of}: tensors don't fit the architecture ({found})")


def misfits(state: State, shapes: Mapping[str, torch.Size]) -> str:
    """Names what is missing, surplus, misshapen, of another type or not finite, if anything is."""
    both = shapes.keys() & state.keys()
    wrong = {
        "missing": shapes.keys() - state.keys(),
        "surplus": state.keys() - shapes.keys(),
        "of another shape": {name for name in both if state[name].shape != shapes[name]},
        "of another type": {name for name in both if not _is_of_its_type(name, state[name])},
    }
    if not any(wrong.values()):
        # Only now: looking at every number of what doesn't fit may take very long.
        wrong["not finite"] = {name for name in both if not _is_finite(state[name])}
    return "; ".join(f"{what}: {_shorten(names)}" for what, names in wrong.items() if names)


def _is_of_its_type(name: str, tensor: Tensor) -> bool:
    if name.endswith(COUNTER):
        return tensor.dtype == torch.int64
    return tensor.is_floating_point()


def _is_finite(tensor: Tensor) -> bool:
    """Also once it is float32, as which it is used."""
    return bool(torch.isfinite(tensor.float()).all())


def _check_scales(stored: State, of: str) -> None:
    wrong = {name for name in stored if name.endswith(SCALE) and not _fits(stored, name)}
    if wrong:
        raise BadBundle(f"{of}: scales fit no int8 tensor of theirs ({_shorten(wrong)})")


def _fits(stored: State, name: str) -> bool:
    scale, rows = stored[name], stored.get(name.removesuffix(SCALE))
    if rows is None or rows.dtype != torch.int8 or rows.dim() < 2:
        return False
    return scale.is_floating_point() and scale.shape == rows.shape[:1]


def _shorten(names: set[str], most: int = 5) -> str:
    """The first few names, and how many more. A stranger may have chosen them."""
    first = ", ".join(f"{printable(name):.{_SAID}}" for name in sorted(names)[:most])
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
