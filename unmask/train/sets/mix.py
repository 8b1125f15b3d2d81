"""A mix: a small file that names data sets and how many items of each class to take from each.

    {"name": "4000", "parts": [
        {"data": "dfdc", "real": 1000, "fake": 1000},
        {"data": "faceforensics", "real": 500, "fake": 500},
        {"data": "celeb-df", "real": 500, "fake": 500}]}

Folders are relative to the file. Which items are drawn depends on the mix's name and on the items'
own names alone, so two machines agree, and a larger quota holds all that a smaller one held.

People of two data sets are other people, whatever they are called; two folders of one public set
(Celeb-DF v1 and v2, parts of DFDC) name the same ones, and so do two lists in one folder.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
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


def items_with(read: Reader, whose_names: Callable[[Path], str]) -> Reader:
    """Reads a mix of data sets that `read` knows; `whose_names` says which name the same people."""

    def items(source: Path) -> list[Item]:
        mix = read_mix(source)
        places = [_place(source, share) for share in mix.parts]
        named = _named([whose_names(place) for place in places])
        drawn = [
            [_apart(item, name) for item in _taken(mix, share, read(place))]
            for share, place, name in zip(mix.parts, places, named, strict=True)
        ]
        _need_each_once(mix, drawn)
        return [item for some in drawn for item in some]

    return items


def _place(source: Path, share: Share) -> Path:
    place = source.parent / share.data
    if recognised(place):
        raise BadData(f"{source} has the mix {share.data} as a part; name its data sets instead")
    return place


def _named(owners: Sequence[str]) -> list[str]:
    """A folder goes by the first part that names it: where it lies differs between machines."""
    return [
        str(owners.index(owner) + 1) if Path(owner).is_absolute() else owner for owner in owners
    ]


def _need_each_once(mix: Mix, drawn: Sequence[Sequence[Item]]) -> None:
    seen: dict[Path, int] = {}
    for number, some in enumerate(drawn, start=1):
        for item in some:
            before = seen.setdefault(item.path.resolve(), number)
            if before != number:
                raise BadData(
                    f"mix {mix.name} draws {item.path} twice, for parts {before} and {number}; "
                    "name each data set once, with all that is wanted of it"
                )


def _taken(mix: Mix, share: Share, items: list[Item]) -> list[Item]:
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
    return found


def _apart(item: Item, owner: str) -> Item:
    names = tuple(f"{owner}:{name}" for name in item.identities)
    return dataclasses.replace(item, identities=names)


def _order(mix: Mix, item: Item) -> bytes:
    """An order that no naming scheme leans on."""
    return hashlib.sha256(f"{mix.name}:{item.name}".encode()).digest()
