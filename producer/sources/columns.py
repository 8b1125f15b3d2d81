"""Which column of a table holds the addresses."""

import re
from collections.abc import Sequence

from producer.sources.address import looks_like_address
from producer.sources.endings import is_media_name
from producer.sources.values import SourceError
from unmask.wording import printable

#: Names that say so, the most telling first.
TELLING = (
    *("url", "uri", "media_url", "video_url", "image_url", "file_url", "download_url"),
    *("content_url", "source_url", "src_url", "link", "href", "address", "src", "path"),
    *("file_path", "filepath", "filename", "file_name", "file", "location", "media", "video"),
    *("image", "picture", "clip"),
)
PART = re.compile(r"(^|_)(url|uri|link)($|_)")
#: A message names at most so many columns.
NAMED = 20


def choose_column(
    names: Sequence[str], row: Sequence[object], wanted: str | None, where: str
) -> int:
    """The index of the column: the wanted one, or the only one that can be meant."""
    plain = [_plain(name) for name in names]
    if wanted is not None:
        return _wanted(names, plain, wanted, where)
    for telling in TELLING:
        if telling in plain:
            return plain.index(telling)
    for guess in (_by_part(plain), _by_value(row)):
        if len(guess) == 1:
            return guess[0]
    raise SourceError(
        f"{where}: which column holds the addresses? It has: {listed(names)}; "
        "name one with --column"
    )


def is_headless(cells: Sequence[str]) -> bool:
    """Does the first row hold an address already, rather than names?"""
    return any(looks_like_address(cell) or is_media_name(cell) for cell in cells)


def names_addresses(names: Sequence[str], wanted: str | None) -> bool:
    """Are these names of columns, and one of them plainly that of the addresses?"""
    plain = {_plain(name) for name in names}
    if is_headless(names):
        return False
    return bool(plain.intersection(TELLING)) or (wanted is not None and _plain(wanted) in plain)


def listed(names: Sequence[str]) -> str:
    more = ["…"] if len(names) > NAMED else []
    return ", ".join([printable(name) or "(no name)" for name in names[:NAMED]] + more)


def _wanted(names: Sequence[str], plain: Sequence[str], wanted: str, where: str) -> int:
    if wanted in names:
        return list(names).index(wanted)
    if _plain(wanted) in plain:
        return list(plain).index(_plain(wanted))
    raise SourceError(f"{where} has no column {printable(wanted)!r}; it has: {listed(names)}")


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _by_part(plain: Sequence[str]) -> list[int]:
    return [at for at, name in enumerate(plain) if PART.search(name)]


def _by_value(row: Sequence[object]) -> list[int]:
    return [at for at, cell in enumerate(row) if isinstance(cell, str) and looks_like_address(cell)]
