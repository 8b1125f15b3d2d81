"""Public data sets by their official layouts, and a plain manifest for everything else."""

from collections.abc import Callable
from pathlib import Path

from unmask.train.crops import BadData
from unmask.train.sets import celeb_df, dfdc, face_forensics, mix, table
from unmask.train.sets.item import Item

__all__ = ["Item", "find_items"]

#: Sets whose names mean the same people in every folder, part and version of them.
_PUBLIC = frozenset({"FaceForensics++", "DFDC", "Celeb-DF"})

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
    _, items = _LAYOUTS[_layout(source)]
    return _complete(items(source), source)


def _layout(source: Path) -> str:
    for name, (recognised, _) in _LAYOUTS.items():
        if recognised(source):
            return name
    raise BadData(f"{source} has none of these layouts: {', '.join(_LAYOUTS)}")


def _whose_names(source: Path) -> str:
    """The public set that it is of, else the folder: lists beside each other name one another's."""
    layout, place = _layout(source), source.resolve()
    if layout in _PUBLIC:
        return layout
    return str(place if place.is_dir() else place.parent)


_LAYOUTS["a mix"] = (mix.recognised, mix.items_with(find_items, _whose_names))


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
