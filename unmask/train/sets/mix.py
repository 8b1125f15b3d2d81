"""A mix: a small file that names data sets and how many items of each class to take from each.

    {"name": "4000", "parts": [
        {"data": "dfdc", "real": 1000, "fake": 1000},
        {"data": "faceforensics", "real": 500, "fake": 500},
        {"data": "celeb-df", "real": 500, "fake": 500}]}

Folders are relative to the file. Which items are drawn depends on the mix's name and on the items'
own names alone, so two machines agree, and a larger quota holds all that a smaller one held.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from unmask.judgement import STRICT
from unmask.train.crops import BadData
from unmask.train.sets.item import Item
from unmask.train.sets.sound_only import has_original_picture, originals_of

Quota = Annotated[int, Field(ge=0)]
Reader = Callable[[Path], list[Item]]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Share:
    """What is taken from one data set."""

    data: str
    real: Quota
    fake: Quota


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mix:
    name: str
    parts: Annotated[tuple[Share, ...], Field(min_length=1)]
    about: str = ""


_READER = TypeAdapter(Mix)


def recognised(source: Path) -> bool:
    return source.suffix.lower() == ".json" and source.is_file()


def read_mix(source: Path) -> Mix:
    try:
        return _READER.validate_json(source.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadData(f"{source} is no mix: {where}: {first['msg']}") from error


def items_with(read: Reader) -> Reader:
    """Reads a mix whose data sets `read` knows."""

    def items(source: Path) -> list[Item]:
        mix = read_mix(source)
        return [
            item
            for number, share in enumerate(mix.parts, start=1)
            for item in _taken(mix, share, number, read(source.parent / share.data))
        ]

    return items


def _taken(mix: Mix, share: Share, number: int, items: list[Item]) -> list[Item]:
    """People of two data sets are other people, whatever they are called."""
    originals = originals_of(items)
    found: list[Item] = []
    for fake, quota in ((False, share.real), (True, share.fake)):
        pool = sorted((i for i in items if i.fake == fake), key=lambda item: _order(mix, item))
        usable = (item for item in pool if not has_original_picture(item, originals))
        drawn = list(islice(usable, quota))
        if len(drawn) < quota:
            kind = "fake" if fake else "real"
            raise BadData(
                f"mix {mix.name} wants {quota} {kind} items of {share.data}; it has {len(drawn)}"
            )
        found += drawn
    return [_apart(item, number) for item in found]


def _apart(item: Item, number: int) -> Item:
    names = tuple(f"{number}:{name}" for name in item.identities)
    return dataclasses.replace(item, identities=names)


def _order(mix: Mix, item: Item) -> bytes:
    """An order that no naming scheme leans on."""
    return hashlib.sha256(f"{mix.name}:{item.name}".encode()).digest()
