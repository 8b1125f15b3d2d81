"""A source on its way to the ledger: its good lines, once there is at least one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from producer.sources import BadLine, Source
from schemas.records import NewItem


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A source that names at least one thing to scan, read that far."""

    first: NewItem
    #: All of them, the first too.
    items: Iterator[NewItem]


def begin(source: Source, on_bad: Callable[[BadLine], None]) -> Begun:
    """Good lines go through, bad ones are told; a source without a good one raises here."""
    items = _good(source, on_bad)
    first = next(items)
    return Begun(first=first, items=chain([first], items))


def _good(source: Source, on_bad: Callable[[BadLine], None]) -> Iterator[NewItem]:
    for one in source:
        if isinstance(one, BadLine):
            on_bad(one)
        else:
            yield one
