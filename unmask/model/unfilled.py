"""Networks before they have weights: their shapes alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

#: What first weights are drawn by.
_DRAWS = (Tensor.normal_, Tensor.uniform_)


@contextmanager
def unfilled() -> Iterator[None]:
    """What is built inside takes no memory, and waits for weights that lie elsewhere."""
    with torch.device("meta"), _Undrawn():
        yield


class _Undrawn(TorchFunctionMode):
    """Numbers drawn for tensors without any would load torch's compiler: seconds of every start."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in _DRAWS or getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
