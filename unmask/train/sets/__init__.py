"""Public data sets by their official layouts, and a plain manifest for everything else."""

from collections.abc import Callable
from pathlib import Path

from unmask.train.crops import BadData
from unmask.train.sets import celeb_df, dfdc, face_forensics, mix, table
from unmask.train.sets.item import Item

__all__ = ["Item", "find_items"]

#: How each layout is recognised, and how it is read.
_LAYOUTS: dict[str, tuple[Callable[[Path], bool], Callable[[Path], list[Item]]]] = {
    "FaceForensics++": (face_forensics.recognised, face_forensics.items),
    "DFDC": (dfdc.recognised, dfdc.items),
    "Celeb-DF": (celeb_df.recognised, celeb_df.items),
    "a manifest": (table.recognised, table.items),
    "a folder with real/ and fake/": (table.sorted_folder, table.items_of_folder),
}


def find_items(source: Path) -> list[Item]:
    """Labelled media at `source`, whatever its layout; refused where it is none we know."""
    for recognised, items in _LAYOUTS.values():
        if recognised(source):
            return _complete(items(source), source)
    raise BadData(f"{source} has none of these layouts: {', '.join(_LAYOUTS)}")


_LAYOUTS["a mix"] = (mix.recognised, mix.items_with(find_items))


def _complete(items: list[Item], source: Path) -> list[Item]:
    missing = [item.path for item in items if not item.path.is_file()]
    if missing:
        raise BadData(
            f"{source} is incomplete: {len(missing)} of {len(items)} files are missing, "
            f"{missing[0]} among them; download them or leave them out of the list"
        )
    empty = [item.path for item in items if item.path.stat().st_size == 0]
    if empty:
        raise BadData(f"{source}: {len(empty)} files are empty, {empty[0]} among them")
    return items
