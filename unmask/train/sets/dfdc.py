"""DFDC: folders with a `metadata.json` that labels each video and names its original."""

import json
from pathlib import Path
from typing import Any

from unmask.train.crops import BadData
from unmask.train.sets.item import Item

_METADATA = "metadata.json"
_LABELS = {"FAKE": True, "REAL": False}
_PARTS = {"train": None, "validation": "validation", "test": "test"}


def recognised(source: Path) -> bool:
    return any(True for _ in _descriptions(source))


def items(source: Path) -> list[Item]:
    return [item for path in _descriptions(source) for item in _described(path)]


def _descriptions(source: Path) -> list[Path]:
    here = source / _METADATA
    return [here] if here.is_file() else sorted(source.glob(f"*/{_METADATA}"))


def _described(path: Path) -> list[Item]:
    try:
        said: dict[str, Any] = json.loads(path.read_text())
        return [_item(path.parent / name, entry) for name, entry in sorted(said.items())]
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise BadData(f"{path} is no description of DFDC videos: {error!r}") from error


def _item(path: Path, entry: dict[str, Any]) -> Item:
    """Groups go by original: DFDC names no actors."""
    fake = _LABELS[entry["label"]]
    return Item(
        path=path,
        fake=fake,
        identities=(Path(entry.get("original") or path.name).stem,),
        method="dfdc" if fake else "real",
        part=_PARTS.get(entry.get("split", "train")),
    )
