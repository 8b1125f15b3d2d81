"""Plain lists, JSON lines and pipes → records."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from producer.plain import json_safe
from producer.sources.columns import choose_column
from producer.sources.lines import Line
from producer.sources.tables import begins_table, read_table
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
    """What comes down a pipe: a table, or lines that are plain or JSON as they look."""
    first = next((line for line in lines if not _is_empty(line)), None)
    if first is None:
        return
    rest = itertools.chain([first], lines)
    if begins_table(first, column):
        yield from read_table(rest, where="stdin", column=column)
        return
    for line in rest:
        if not _is_empty(line):
            yield _json(line, column) if _looks_json(line) else _plain(line)


def _looks_json(line: Line) -> bool:
    return line.text.lstrip().startswith(("{", '"'))


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
