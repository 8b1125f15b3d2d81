"""FaceForensics++: `manipulated_sequences/METHOD/c23/videos/033_097.mp4` and its originals.

The official splits are lists of pairs (`train.json`, `val.json`, `test.json`); where they lie in
the folder they decide who is on which side, and what must be there. DeepFakeDetection comes with
it: `01_02__kitchen_still__A1B2.mp4` and, of actors, `01__kitchen_still.mp4`.
"""

import json
from collections.abc import Mapping, Sequence
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
    _need_whole(found, parts, source)
    return found


def _need_whole(found: Sequence[Item], parts: Mapping[str, str], source: Path) -> None:
    """Each folder that was begun must hold all that the lists name."""
    wanted = {fake: _named(source, fake) for fake in (False, True)} if parts else {}
    folders: dict[Path, set[str]] = {}
    for item in found:
        if item.part is not None:
            folders.setdefault(item.path.parent, set()).add(item.path.stem)
    for folder, stems in folders.items():
        lacking = wanted[_MANIPULATED in folder.parts] - stems
        if lacking:
            raise BadData(
                f"{source} is incomplete: {len(lacking)} of the videos that its lists name are "
                f"missing in {folder.relative_to(source)}, {min(lacking)}.mp4 among them; download "
                "them, or take the lists away: sides then go by people"
            )


def _named(source: Path, fake: bool) -> set[str]:
    """Stems of originals, or of fakes, that the lists name."""
    pairs = [pair for path in _lists(source).values() for pair in _pairs(path)]
    if fake:
        return {"_".join(order) for pair in pairs for order in (pair, pair[::-1])}
    return {name for pair in pairs for name in pair}


def _item(path: Path, parts: dict[str, str]) -> Item:
    """`.../METHOD/COMPRESSION/videos/NAME.mp4`"""
    method = path.parents[2].name
    fake = path.parents[3].name == _MANIPULATED
    identities = tuple(path.stem.partition("__")[0].split("_"))
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
    for part, path in _lists(source).items():
        for pair in _pairs(path):
            parts |= dict.fromkeys(pair, part)
    return parts


def _lists(source: Path) -> dict[str, Path]:
    """Part → its list, of those that are there."""
    places = {part: (source / name, source / "splits" / name) for part, name in _SPLITS.items()}
    found = {part: next(filter(Path.is_file, some), None) for part, some in places.items()}
    return {part: path for part, path in found.items() if path is not None}


def _pairs(path: Path) -> list[tuple[str, ...]]:
    try:
        return [tuple(map(str, pair)) for pair in json.loads(path.read_text())]
    except (ValueError, TypeError) as error:
        raise BadData(f"{path} is no list of pairs of identities: {error}") from error
