"""torchvision's models, also beside a torch whose build its compiled operators don't fit.

A torchvision wheel for CUDA beside a CPU-only torch can't load its operators, and then its
Python side dies while it describes two of them. Declaring those two lets the plain-Python
networks import; the operators themselves (box suppression) are never called here.

One of its operators asks torch's compiler, while it is imported, whether it could be compiled: that
loads the whole compiler, two seconds of every start. It is answered without: nobody here calls it.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import library

_COMPILER = "torch._dynamo"
_MISSING = "operator torchvision::nms does not exist"
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
#: Declarations live as long as the object that made them.
_declared: list[object] = []


def _declare() -> None:
    untyped: Any = library.Library
    operators = untyped("torchvision", "DEF")
    for schema in _SCHEMAS:
        operators.define(schema)
    _declared.append(operators)


def _forget_half_import() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


@contextmanager
def _compiler_left_alone() -> Iterator[None]:
    """Whoever imports the compiler afterwards gets the real one."""
    if _COMPILER in sys.modules:
        yield
        return
    package, answers = ModuleType(_COMPILER), ModuleType(f"{_COMPILER}.utils")
    vars(answers)["is_compile_supported"] = lambda _device: False
    stand_ins = {each.__name__: each for each in (package, answers)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _import() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        _forget_half_import()
        _declare()
        importlib.import_module("torchvision")


try:
    with _compiler_left_alone():
        _import()
except (ImportError, AttributeError):  # another torchvision asks more of it
    _forget_half_import()
    _import()

from torchvision.models import (  # noqa: E402
    efficientnet_b0,
    efficientnet_b4,
    get_model_weights,
    mobilenet_v2,
    resnext50_32x4d,
)
from torchvision.ops import SqueezeExcitation  # noqa: E402

__all__ = [
    "SqueezeExcitation",
    "efficientnet_b0",
    "efficientnet_b4",
    "get_model_weights",
    "mobilenet_v2",
    "resnext50_32x4d",
]
