"""Strangers' text, made plain: it fits its cell and upsets no database."""

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from rich.cells import cell_len, set_cell_size

#: What PostgreSQL's JSON and every UTF-8 file refuse: NUL and lone surrogates.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: A cell longer than this is cut: it rides along in every row of the ledger.
MAX_CELL = 10_000
#: Tables that nest deeper than this are not carried along.
MAX_DEPTH = 20
ELLIPSIS = "…"


def shorten(text: str, cells: int) -> str:
    """At most so many terminal cells, cut in the middle; the end of a name tells the most.

    >>> shorten("/archive/2024/summer/interview.mp4", 20)
    '/archi…interview.mp4'
    """
    if cell_len(text) <= cells:
        return text
    tail = max(cells - 1, 0) * 2 // 3
    head = max(cells - 1 - tail, 0)
    return set_cell_size(text, head) + ELLIPSIS + set_cell_size(text[::-1], tail)[::-1]


def storable(text: str) -> str:
    """The text without what databases and UTF-8 refuse."""
    if text.isascii() and "\x00" not in text:
        return text
    return UNSTORABLE.sub("\ufffd", text)


def json_safe(value: Any, depth: int = MAX_DEPTH) -> Any:
    """The value as JSON that any database takes; numbers that JSON has no word for become null."""
    if depth < 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool() | int():
            safe: Any = value
        case float():
            safe = value if math.isfinite(value) else None
        case bytes():
            safe = f"<{len(value)} bytes>"
        case datetime() | date() | time():
            safe = value.isoformat()
        case Mapping():
            safe = {carried(str(k)): json_safe(v, depth - 1) for k, v in value.items()}
        case list() | tuple() | set():
            safe = [json_safe(one, depth - 1) for one in value]
        case _:
            safe = carried(str(value))
    return safe


def carried(text: str) -> str:
    """A cell as it rides along in a row of the ledger: storable, and not too long."""
    text = storable(text)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + ELLIPSIS
