"""Checkpoints of the public ResNeXt + LSTM family, told apart by how they are to be read.

Their LSTM was built without `batch_first`, so it recurs over the batch and never over time; at
batch 1 it starts anew at every frame. `origin-last` (the web application) and `origin-mean`
(the training notebook) answer exactly what the original answers at batch 1, whatever else is
in the batch. `temporal` lets the same weights run over time, as their authors meant.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from unmask.errors import Unusable
from unmask.model.bundle import Bundle
from unmask.model.checkpoint import read_checkpoint
from unmask.model.description import Architecture, Description, Training, Weights
from unmask.model.network import Network
from unmask.model.unfilled import unfilled
from unmask.model.weights import COUNTER, State, StoredEncoding, misfits
from unmask.model.write import write_bundle
from unmask.spec import PAPERS, ScanSpec

Mode = Literal["origin-last", "origin-mean", "temporal"]

#: `model_97_acc_100_frames_FF_data.pt`: 97 % claimed, windows of 100 frames.
_FILE_NAME = re.compile(r"(?:^|_)(\d+)_acc_(\d+)_frames")
#: The public files have 10 to 150; a window is held in memory as a whole.
MAX_FRAMES = 1000
#: The trunk's parts by their place in the original's list of layers.
_PLACES = {
    "0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"
}  # fmt: skip
_PARALLEL = "module."
#: As wide as a bundle's LSTM may be.
_WIDTHS = range(1, 16385)


class NotOfThisFamily(Unusable):
    """A checkpoint whose tensors are not those of the public ResNeXt + LSTM family."""


def convert(
    source: Path,
    target: Path,
    *,
    mode: Mode = "origin-last",
    frames: int | None = None,
    encoding: StoredEncoding = "fp32",
) -> Bundle:
    """A bundle in `target` that reads the checkpoint in the named mode."""
    length = frames or frames_in_name(source.name)
    state = renamed(read_checkpoint(source))
    architecture = _architecture(state, mode)
    _check(state, architecture, source)
    return write_bundle(target, _description(source, architecture, length, mode), state, encoding)


def frames_in_name(name: str) -> int:
    found = _FILE_NAME.search(name)
    if found is None:
        raise NotOfThisFamily(
            f"`{name}` doesn't say its window length as `model_97_acc_100_frames…` does; "
            "name it with --frames"
        )
    length = int(found[2])
    if not 1 <= length <= MAX_FRAMES:
        raise NotOfThisFamily(
            f"`{name}` claims windows of {length} frames; name their length with --frames, "
            f"from 1 to {MAX_FRAMES}"
        )
    return length


def renamed(tensors: Mapping[str, Tensor]) -> State:
    """Our names for the original's tensors; a name it doesn't know stays as it is."""
    return {_our_name(name.removeprefix(_PARALLEL)): each for name, each in tensors.items()}


def _our_name(name: str) -> str:
    head, _, rest = name.partition(".")
    if head == "linear1":
        return f"linear.{rest}"
    place, _, inner = rest.partition(".")
    if head == "model" and place in _PLACES:
        return f"trunk.{_PLACES[place]}.{inner}"
    return name


def _architecture(state: State, mode: Mode) -> Architecture:
    recurrent = state.get("lstm.weight_hh_l0")
    if recurrent is None or recurrent.dim() != 2 or recurrent.shape[1] not in _WIDTHS:
        raise NotOfThisFamily("the checkpoint has no `lstm.weight_hh_l0` of an LSTM")
    return Architecture(
        trunk="resnext50_32x4d",
        width=recurrent.shape[1],
        recurrence="time" if mode == "temporal" else "frame",
        pooling="last" if mode == "origin-last" else "mean",
        lstm_bias="lstm.bias_ih_l0" in state,
    )


def _check(state: State, architecture: Architecture, source: Path) -> None:
    with unfilled():
        wanted = {name: t.shape for name, t in Network(architecture).state_dict().items()}
    optional = {name for name in wanted if name.endswith(COUNTER)}
    for name in optional - state.keys():
        state[name] = torch.zeros((), dtype=torch.int64)
    found = misfits(state, wanted)
    if found:
        raise NotOfThisFamily(f"{source}: its tensors don't fit this family ({found})")


def _description(source: Path, architecture: Architecture, length: int, mode: Mode) -> Description:
    claimed = _FILE_NAME.search(source.name)
    return Description(
        format=1,
        name=_bundle_name(source),
        about=f"Converted from {source.name}, read as {mode}. Its training is not known here.",
        untrained=False,
        architecture=architecture,
        weights=Weights(encoding="seeded", seed=0),
        colours="bgr",
        spec=_spec(length),
        training=Training(data=("unknown",), recipe="unknown", terms="those of its publisher"),
        quality={"accuracy_claimed_by_file_name": int(claimed[1]) / 100} if claimed else None,
    )


def _bundle_name(source: Path) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", source.stem.lower()).lstrip("._-")[:64] or "converted"


def _spec(length: int) -> ScanSpec:
    return dataclasses.replace(PAPERS, name=f"papers-{length}", frames=length)
