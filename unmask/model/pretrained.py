"""A trunk's first weights: from torchvision's site, or from a file in torchvision's layout."""

from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from unmask.errors import Unusable
from unmask.model import vision
from unmask.model.checkpoint import read_checkpoint
from unmask.model.description import Architecture, Trunk
from unmask.model.trunks import TRUNKS, make_trunk
from unmask.model.unpickle import UnsafeFile
from unmask.model.weights import State, check_state

IMAGENET = "imagenet"

#: What torchvision's names begin with where ours begin with nothing, and its classifier's names.
_PREFIX: dict[Trunk, str] = {
    "resnext50_32x4d": "",
    "mobilenet_v2": "features.",
    "efficientnet_lite0": "features.",
    "mobilenet_v2+efficientnet_lite0": "",
    "efficientnet_b4": "features.",
    "compact": "",
}
#: torchvision publishes no weights for these; a file is needed.
_UNPUBLISHED: tuple[Trunk, ...] = (
    "efficientnet_lite0",
    "mobilenet_v2+efficientnet_lite0",
    "compact",
)
_CLASSIFIER = ("fc.", "classifier.")


def first_weights(architecture: Architecture, source: str) -> State:
    """Those of the whole trunk: its plain part from `source`, what is built around it as made."""
    kind = TRUNKS[architecture.trunk].base or architecture.trunk
    plain = TRUNKS[kind].make()
    load_trunk(plain, kind, source)
    state: State = make_trunk(architecture, plain).state_dict()
    return state


def load_trunk(trunk: nn.Module, kind: Trunk, source: str) -> None:
    """`--trunk-weights imagenet|FILE`. The file's classifier, if it has one, is left aside."""
    found = _published(kind) if source == IMAGENET else _from_file(Path(source))
    state = trunk_names(found, kind)
    own = trunk.state_dict()
    for name in own.keys() - state.keys():
        if name.endswith("num_batches_tracked"):
            state[name] = own[name]
    check_state(state, {name: tensor.shape for name, tensor in own.items()}, of=source)
    trunk.load_state_dict(state)


def trunk_names(state: State, kind: Trunk) -> State:
    prefix = _PREFIX[kind]
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if not name.startswith(_CLASSIFIER)
    }


def _published(kind: Trunk) -> State:
    if kind in _UNPUBLISHED:
        raise Unusable(f"torchvision publishes no weights of {kind}; name a file of your own")
    state: State = vision.get_model_weights(kind).DEFAULT.get_state_dict(check_hash=True)
    return state


def _from_file(path: Path) -> State:
    if path.suffix != ".safetensors":
        return read_checkpoint(path)
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise UnsafeFile(f"{path} can't be read: {error}") from error
