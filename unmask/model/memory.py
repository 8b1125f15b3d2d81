"""How much memory there is, running out of it, or losing the device."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from unmask.errors import UnmaskError

#: What torch's allocator for the CPU says; it has no error class of its own.
_CPU_SHORTAGE = "can't allocate memory"
#: The same from NVIDIA's libraries, which allocate beside torch.
_LIBRARY_SHORTAGE = re.compile(r"CU(DNN|BLAS)_STATUS_\w*ALLOC\w*_FAILED")
#: What they say of a card that fails. They have no error class either, and may say it before
#: the card itself shows that it is lost.
_LIBRARY_FAILED = re.compile(
    r"CU(DNN|BLAS)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR|NOT_INITIALIZED)\b"
)


class DeviceLost(UnmaskError):
    """The GPU gave an error after which this process can't use it; only a new process can."""


class Batch(Protocol):
    """Anything with a length that slices into its own kind: a tensor, a list."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Any: ...


B = TypeVar("B", bound=Batch)
R = TypeVar("R")


def free_memory(device: torch.device) -> int | None:
    """Bytes of a card that can still be had; None on the CPU, whose memory is everybody's.

    What torch keeps for itself counts as free to whom torch serves.
    """
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def working_memory(module: nn.Module, run: Callable[[], object]) -> int:
    """Bytes that are alive at once in `module` while it runs without gradients.

    What its widest layer reads and writes, twice: a shortcut holds a map beside it.
    """
    widest = 0

    def look(_: nn.Module, given: Any, made: Any) -> None:
        nonlocal widest
        tensors = [each for each in (*given, made) if isinstance(each, Tensor)]
        widest = max(widest, sum(each.nbytes for each in tensors))

    leaves = [each for each in module.modules() if not any(each.children())]
    hooks = [each.register_forward_hook(look) for each in leaves]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return 2 * widest


def halving(batch: B, run: Callable[[B], R]) -> list[R]:
    """`[run(batch)]`, or the results of its halves, in order, where memory is too short for it."""
    done = _attempt(batch, run)
    if done:
        return done
    free()
    half = len(batch) // 2
    return halving(batch[:half], run) + halving(batch[half:], run)


#: Raises where the device can't be used any more.
Probe = Callable[[torch.device], None]


@contextmanager
def naming_lost_device(
    device: torch.device, probe: Probe = torch.cuda.synchronize
) -> Iterator[None]:
    """Turns an error after which a GPU stays unusable into `DeviceLost`; `probe` asks the GPU.

    Its errors come late and under other names: what went wrong in one step shows in a later one.
    """
    try:
        yield
    except RuntimeError as error:
        why = _why_lost(error, device, probe)
        if why is None:
            raise
        raise DeviceLost(f"the GPU can't be used any more: {why}; restart this worker") from error


def _why_lost(error: RuntimeError, device: torch.device, probe: Probe) -> str | None:
    if device.type != "cuda":
        return None
    if isinstance(error, torch.AcceleratorError) or _LIBRARY_FAILED.search(str(error)):
        return _first_line(error)
    try:
        probe(device)
    except RuntimeError as found:
        return _first_line(found)
    return None


def _first_line(error: RuntimeError) -> str:
    return str(error).partition("\n")[0]


def _attempt(batch: B, run: Callable[[B], R]) -> list[R]:
    """Empty where memory ran out; by then nothing holds on to what was half done."""
    try:
        return [run(batch)]
    except RuntimeError as error:
        if not is_shortage(error) or len(batch) == 1:
            raise
        return []


def is_shortage(error: Exception) -> bool:
    words = str(error)
    said = _CPU_SHORTAGE in words or _LIBRARY_SHORTAGE.search(words) is not None
    return isinstance(error, torch.OutOfMemoryError) or said


def free() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
