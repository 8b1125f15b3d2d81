"""Training on several cores: one process each, gradients averaged after every batch.

One thread per process does twice the work of two threads on one batch, as threads wait for each
other in every layer, and wait long when something else uses a core.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from torch import Tensor, distributed

from unmask.errors import UnmaskError, Unusable

#: Longer than any pause that a person or a bench makes.
_PATIENCE = timedelta(hours=6)
#: A process whose connection broke is gone, or nearly.
_LAST_BREATH_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Team:
    """`rank` 0 leads: it alone writes files."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def mean(self, tensors: list[Tensor]) -> None:
        """Each tensor becomes its mean over the team, in place."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()


def in_team(size: int, folder: Path, work: Callable[[Team], None]) -> None:
    """Runs `work` in so many processes; the caller's own is the leader."""
    if size == 1:
        work(Team())
        return
    meeting = (folder / ".meeting").resolve()
    meeting.unlink(missing_ok=True)
    forking = get_context("fork")
    others = [
        forking.Process(target=_follow, args=(Team(rank=rank, size=size), meeting, work))
        for rank in range(1, size)
    ]
    for other in others:
        other.daemon = True
        other.start()
    try:
        _member(Team(rank=0, size=size), meeting, work)
    except RuntimeError as error:
        _tell_of_the_dead(others, error)
        raise
    for other in others:
        other.join()


def _follow(team: Team, meeting: Path, work: Callable[[Team], None]) -> None:
    """What ends the whole team is told once, by its leader."""
    with suppress(UnmaskError):
        _member(team, meeting, work)


def _tell_of_the_dead(others: Sequence[BaseProcess], error: RuntimeError) -> None:
    """A member that was killed is met as a connection that broke."""
    for other in others:
        other.join(_LAST_BREATH_S)
    codes = [other.exitcode for other in others if other.exitcode not in (None, 0)]
    if codes:
        raise Unusable(
            f"a process of the team died (exit code {codes[0]}), maybe for lack of memory; "
            "run the same command again to go on from the last checkpoint"
        ) from error


def _member(team: Team, meeting: Path, work: Callable[[Team], None]) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=team.rank, world_size=team.size,
        timeout=_PATIENCE,
    )  # fmt: skip
    try:
        work(team)
    finally:
        distributed.destroy_process_group()
