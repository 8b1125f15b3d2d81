"""FaceForensics++: `manipulated_sequences/METHOD/c23/videos/033_097.mp4` and its originals.

The official splits are lists of pairs (`train.json`, `val.json`, `test.json`); where they lie in
the folder they decide who is on which side.
"""

import json
from pathlib import Path

from unmask.train.crops import BadData
from unmask.train.sets.item import Item

_ORIGINAL, _MANIPULATED = "original_sequences", "manipulated_sequences"
_SPLITS = {"train": "train.json", "validation": "val.json", "test": "test.json"}


def recognised(source: Path) -> bool:
    return (source / _ORIGINAL).is_dir() or (source / _MANIPULATED).is_dir()


def items(source: Path) -> list[Item]:
    parts = _official(source)
    found = [
        _item(path, parts)
        for folder in (_ORIGINAL, _MANIPULATED)
        for path in sorted((source / folder).glob("*/*/videos/*.mp4"))
    ]
    if not found:
        raise BadData(f"{source} has the folders of FaceForensics++, but no video in them")
    return found


def _item(path: Path, parts: dict[str, str]) -> Item:
    """`.../METHOD/COMPRESSION/videos/NAME.mp4`"""
    method = path.parents[2].name
    fake = path.parents[3].name == _MANIPULATED
    identities = tuple(path.stem.split("_")) if fake else (path.stem,)
    return Item(
        path=path,
        fake=fake,
        identities=identities,
        method=method if fake else "real",
        part=parts.get(identities[0]),
    )


def _official(source: Path) -> dict[str, str]:
    """Identity → part, from the official lists that are there."""
    parts: dict[str, str] = {}
    for part, name in _SPLITS.items():
        path = next((p for p in (source / name, source / "splits" / name) if p.is_file()), None)
        for pair in _pairs(path) if path else ():
            parts |= dict.fromkeys(pair, part)
    return parts


def _pairs(path: Path) -> list[tuple[str, ...]]:
    try:
        return [tuple(map(str, pair)) for pair in json.loads(path.read_text())]
    except (ValueError, TypeError) as error:
        raise BadData(f"{path} is no list of pairs of identities: {error}") from error
