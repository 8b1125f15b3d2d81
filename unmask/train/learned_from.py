"""What a run learns from, in words that can be compared: its first weights and its data.

Machines keep data in other folders, so by name and amount.
"""

from pathlib import Path

from unmask.train.sets import find_items
from unmask.train.start import Job
from unmask.train.tars import find_tars, has_tars


def learned_from(job: Job) -> dict[str, str]:
    first = job.origin or job.trunk_weights
    return {
        "first weights": Path(first).name if first else "none",
        "data": f"{job.data.resolve().name}, {_amount(job.data)}",
    }


def _amount(data: Path) -> str:
    """Of tars the bytes: what is in them is read only when it is learned from."""
    if has_tars(data):
        tars = find_tars(data)
        return f"{len(tars)} tars, {sum(tar.stat().st_size for tar in tars)} bytes"
    return f"{len(find_items(data))} items"
