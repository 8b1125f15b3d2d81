"""Plain lists and JSON lines → records."""

import json
from collections.abc import Iterator
from typing import Any

from producer.plain import json_safe
from producer.sources.columns import choose_column
from producer.sources.lines import Line
from producer.sources.values import Fault, Record, SourceError

COMMENT = "#"


def read_list(lines: Iterator[Line]) -> Iterator[Record | Fault]:
    """One address a line; `#` begins a comment line."""
    for line in lines:
        if not _is_empty(line):
            yield _plain(line)


def read_json_lines(
    lines: Iterator[Line], *, column: str | None = None
) -> Iterator[Record | Fault]:
    """One JSON object or string a line."""
    for line in lines:
        if line.text.strip():
            yield _json(line, column)


def read_mixed(lines: Iterator[Line], *, column: str | None = None) -> Iterator[Record | Fault]:
    """What comes down a pipe: each line is plain or JSON as it looks."""
    for line in lines:
        if not _is_empty(line):
            looks_json = line.text.lstrip().startswith(("{", '"'))
            yield _json(line, column) if looks_json else _plain(line)


def _is_empty(line: Line) -> bool:
    text = line.text.strip()
    return not text or text.startswith(COMMENT)


def _plain(line: Line) -> Record | Fault:
    if not line.whole:
        return _too_long(line)
    return Record(line=line.number, address=line.text)


def _json(line: Line, column: str | None) -> Record | Fault:
    if not line.whole:
        return _too_long(line)
    try:
        return _record(line.number, json.loads(line.text), column)
    except SourceError as error:
        return Fault(line=line.number, text=line.text, why=str(error))
    except (ValueError, RecursionError) as error:
        return Fault(line=line.number, text=line.text, why=f"not valid JSON ({error})")


def _record(number: int, value: Any, column: str | None) -> Record:
    match value:
        case str():
            return Record(line=number, address=value)
        case {**fields} if fields:
            names = [str(name) for name in fields]
            at = choose_column(names, list(fields.values()), column, "the object")
            address = fields.pop(names[at])
            if not isinstance(address, str):
                raise SourceError(f"{names[at]!r} is no text")
            return Record(line=number, address=address, extra=json_safe(fields))
        case _:
            raise SourceError("neither a JSON object nor a string")


def _too_long(line: Line) -> Fault:
    return Fault(line=line.number, text=line.text, why="the line is too long")
