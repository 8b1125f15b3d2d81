"""Any labelled media: a CSV with `path,label` and, if known, `identities`, `method`, `part`.

Or, plainer still, a folder with two folders in it, `real` and `fake`.
"""

import csv
from pathlib import Path

from unmask.media.suffixes import MEDIA
from unmask.train.crops import BadData
from unmask.train.sets.item import REAL, Item

_LABELS = {"fake": True, "real": False, "1": True, "0": False}
_COLUMNS = {"path", "label", "identities", "method", "part"}
_PARTS = {"train", "validation", "test", ""}


def recognised(source: Path) -> bool:
    return source.suffix.lower() == ".csv" and source.is_file()


def items(source: Path) -> list[Item]:
    with source.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = set(reader.fieldnames or ())
        if not {"path", "label"} <= columns or columns - _COLUMNS:
            raise BadData(
                f"{source}: columns are {', '.join(sorted(_COLUMNS))}; the first two must be"
            )
        return [_item(source, number, row) for number, row in enumerate(reader, start=2)]


def _item(source: Path, line: int, row: dict[str, str | None]) -> Item:
    where = f"{source}, line {line}"
    label = _LABELS.get((row["label"] or "").strip().lower())
    if label is None:
        raise BadData(f"{where}: the label is fake or real, not `{row['label']}`")
    if (row.get("part") or "") not in _PARTS:
        raise BadData(f"{where}: the part is train, validation or test, not `{row['part']}`")
    path = source.parent / (row["path"] or "")
    identities = tuple((row.get("identities") or path.stem).split())
    return Item(
        path=path,
        fake=label,
        identities=identities,
        method=(row.get("method") or "fake") if label else REAL,
        part=row.get("part") or None,
    )


def sorted_folder(source: Path) -> bool:
    return (source / "real").is_dir() and (source / "fake").is_dir()


def items_of_folder(source: Path) -> list[Item]:
    found = [
        Item(path=path, fake=fake, identities=(path.stem,), method="fake" if fake else REAL)
        for name, fake in (("real", False), ("fake", True))
        for path in sorted((source / name).rglob("*"))
        if path.suffix.lower() in MEDIA
    ]
    if not found:
        raise BadData(f"{source}: neither real/ nor fake/ holds a picture or a video")
    return found
