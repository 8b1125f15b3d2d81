"""Running out of memory, or losing the device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch

from unmask.errors import UnmaskError

#: What torch's allocator for the CPU says; it has no error class of its own.
_CPU_SHORTAGE = "can't allocate memory"


class DeviceLost(UnmaskError):
    """The GPU gave an error after which this process can't use it; only a new process can."""


class Batch(Protocol):
    """Anything with a length that slices into its own kind: a tensor, a list."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Any: ...


B = TypeVar("B", bound=Batch)
R = TypeVar("R")


def halving(batch: B, run: Callable[[B], R]) -> list[R]:
    """`[run(batch)]`, or the results of its halves, in order, where memory is too short for it."""
    done = _attempt(batch, run)
    if done:
        return done
    free()
    half = len(batch) // 2
    return halving(batch[:half], run) + halving(batch[half:], run)


@contextmanager
def naming_lost_device() -> Iterator[None]:
    """Turns a CUDA error that stays for good into `DeviceLost`."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except torch.AcceleratorError as error:
        first = str(error).splitlines()[0]
        raise DeviceLost(f"the GPU can't be used any more: {first}; restart this worker") from error


def _attempt(batch: B, run: Callable[[B], R]) -> list[R]:
    """Empty where memory ran out; by then nothing holds on to what was half done."""
    try:
        return [run(batch)]
    except RuntimeError as error:
        if not is_shortage(error) or len(batch) == 1:
            raise
        return []


def is_shortage(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or _CPU_SHORTAGE in str(error)


def free() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
