"""A trunk's first weights: torchvision's, a bundle's, or a file's in torchvision's layout."""

from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from unmask.errors import Unusable
from unmask.model import vision
from unmask.model.bundle import Bundle
from unmask.model.checkpoint import read_checkpoint
from unmask.model.description import Architecture, Trunk
from unmask.model.predict import build
from unmask.model.shelf import find_bundle, names
from unmask.model.trunks import TRUNKS, make_trunk
from unmask.model.unpickle import UnsafeFile
from unmask.model.weights import COUNTER, State, check_state

IMAGENET = "imagenet"

#: What torchvision's names begin with where ours begin with nothing, and its classifier's names.
_PREFIX: dict[Trunk, str] = {
    "resnext50_32x4d": "",
    "mobilenet_v2": "features.",
    "efficientnet_lite0": "features.",
    "efficientnet_b4": "features.",
    "compact": "",
}
#: torchvision publishes no weights for these; a file is needed.
_UNPUBLISHED: tuple[Trunk, ...] = ("efficientnet_lite0", "compact")
_CLASSIFIER = ("fc.", "classifier.")


def first_weights(architecture: Architecture, source: str) -> State:
    """Those of the whole trunk: its plain part from `source`, what is built around it as made."""
    kind = TRUNKS[architecture.trunk].base or architecture.trunk
    plain = TRUNKS[kind].make()
    load_trunk(plain, kind, source)
    state: State = make_trunk(architecture, plain).state_dict()
    return state


def load_trunk(trunk: nn.Module, kind: Trunk, source: str) -> None:
    """`--trunk-weights imagenet|BUNDLE|FILE`. A file's classifier, if it has one, is left aside."""
    state = trunk_names(_found(kind, source), kind)
    own = trunk.state_dict()
    for name in own.keys() - state.keys():
        if name.endswith(COUNTER):
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


def _found(kind: Trunk, source: str) -> State:
    if source == IMAGENET:
        return _published(kind)
    if source in names() or Path(source).is_dir():
        return _of_bundle(kind, find_bundle(source))
    return _from_file(Path(source))


def _of_bundle(kind: Trunk, bundle: Bundle) -> State:
    own = bundle.architecture
    if own.trunk != kind or own.transformer_after is not None:
        raise Unusable(f"the trunk of {bundle.name} is another one than {kind}")
    state: State = build(bundle).trunk.state_dict()
    return state


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
