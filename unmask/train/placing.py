"""Labelled videos on their sides: cut into clips where they were not yet, and who is left out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from unmask.spec import ScanSpec
from unmask.train.evaluation import BETWEEN_SIDES, SOUND_ONLY, labelled
from unmask.train.extracting import extract_all, why_nobody
from unmask.train.sets.item import Item
from unmask.train.sides import PARTS, need_sides, sides
from unmask.train.splits import Part
from unmask.train.start import Job

LEFT_OUT = "left-out.json"


def clips_folder(job: Job) -> Path:
    return job.clips or job.folder / "clips"


def placed(job: Job, spec: ScanSpec, needed: Sequence[Part] = PARTS) -> dict[Part, list[Item]]:
    """Everything in which somebody was found; the rest is told with its reason.

    A needed part without both classes is refused before anything is cut, and once more where those
    in whom nobody is found leave it without.
    """
    usable, work = labelled(job.data), clips_folder(job)
    found = sides(usable.kept, job.shares)
    need_sides(found.parts, needed)
    items = [item for some in found.parts.values() for item in some]
    extract_all(items, work, spec, processes=job.processes)
    empty = {item: why for item in items if (why := why_nobody(item, work, spec))}
    without = {
        **dict.fromkeys(usable.sound_only, SOUND_ONLY),
        **dict.fromkeys(found.left_out, BETWEEN_SIDES),
        **empty,
    }
    _tell(job, without, among=len(usable.kept) + len(usable.sound_only))
    kept = {
        part: [item for item in some if item not in empty] for part, some in found.parts.items()
    }
    need_sides(kept, needed)
    return kept


def _tell(job: Job, without: Mapping[Item, str], among: int) -> None:
    """Once, and again when it changes."""
    path = job.folder / LEFT_OUT
    text = json.dumps({str(item.path): why for item, why in without.items()}, indent=2) + "\n"
    if not without or (path.exists() and path.read_text() == text):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    job.say(f"{len(without)} of {among} items are left out; {path} says why")
