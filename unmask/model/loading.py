"""Frames on their way to the device: gathered, and on a GPU pinned and copied ahead of use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from unmask.model.clips import Frames

Job = TypeVar("Job")
Ready = TypeVar("Ready")

#: Chunks that are made ready while one is computed.
AHEAD = 2


class FrameLine:
    """All frames of some windows, as if they stood in one long line."""

    def __init__(self, windows: Sequence[Frames]) -> None:
        self._windows = windows
        self._starts = [0, *accumulate(map(len, windows))]

    def __len__(self) -> int:
        return self._starts[-1]

    def gather(self, wanted: range) -> Frames:
        """A copy of the frames in that range; only the windows that it touches are read."""
        parts = [
            window[max(wanted.start - start, 0) : max(wanted.stop - start, 0)]
            for start, window in zip(self._starts, self._windows, strict=False)
            if start < wanted.stop and start + len(window) > wanted.start
        ]
        return np.concatenate(parts)


def ahead(jobs: Iterable[Job], make: Callable[[Job], Ready], depth: int = AHEAD) -> Iterator[Ready]:
    """`map`, with up to `depth` results made on a thread before they are asked for."""
    waiting: deque[Future[Ready]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="frames") as pool:
        for job in jobs:
            waiting.append(pool.submit(make, job))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def pinned(frames: Frames) -> Tensor:
    """In memory that a GPU can read by itself, so that the copy needs no waiting."""
    return torch.from_numpy(frames).pin_memory()
