"""How many items a CPU worker cuts at once."""

import math
import os
from pathlib import Path

#: What a container may use of the processors it sees: `200000 100000` is two of them.
QUOTA = Path("/sys/fs/cgroup/cpu.max")
NO_QUOTA = "max"


def pool_size(asked: int, cores: int | None) -> int:
    """What was asked for; else one per core but one, which is left to the rest of the machine.

    >>> pool_size(0, 8), pool_size(0, 1), pool_size(12, 8)
    (7, 1, 12)
    """
    return asked or max(1, (cores or 1) - 1)


def usable_cores(quota: Path = QUOTA) -> int:
    """Of the machine's, those that this process may run on, and a container's share of them."""
    mine = len(os.sched_getaffinity(0))
    try:
        most, period = quota.read_text().split()
    except OSError:  # no container, or one of another make
        return mine
    return mine if most == NO_QUOTA else min(mine, math.ceil(int(most) / int(period)))
