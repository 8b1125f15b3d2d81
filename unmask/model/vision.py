"""torchvision's models, also beside a torch whose build its compiled operators don't fit.

A torchvision wheel for CUDA beside a CPU-only torch can't load its operators, and then its
Python side dies while it describes two of them. Declaring those two lets the plain-Python
networks import; the operators themselves (box suppression) are never called here.
"""

import importlib
import sys
from typing import Any

from torch import library

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


def _import() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        _forget_half_import()
        _declare()
        importlib.import_module("torchvision")


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
