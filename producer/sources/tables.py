"""CSV and TSV → records. One broken quote costs one line, not the rest of the file."""

import csv
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from producer.plain import carried
from producer.sources.columns import choose_column, is_headless, names_addresses
from producer.sources.lines import Line
from producer.sources.values import Fault, Record

DELIMITERS = ",;\t|"
#: A table of one column may have commas in its addresses: this stands nowhere.
NOWHERE = "\x1f"
#: A quoted cell may run over so many lines; further ones mean that its quote was never closed.
MAX_SPAN = 20


class _Ahead:
    """Lines that can be given back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._back.popleft() if self._back else next(self._lines)

    def give_back(self, lines: Sequence[Line]) -> None:
        self._back.extendleft(reversed(lines))


@dataclass(frozen=True, kw_only=True)
class _Row:
    line: int
    cells: list[str]


@dataclass(frozen=True, kw_only=True)
class _Layout:
    width: int
    at: int
    #: The columns that ride along.
    others: list[tuple[int, str]]


def read_table(
    lines: Iterator[Line], *, where: str, column: str | None = None, delimiter: str | None = None
) -> Iterator[Record | Fault]:
    ahead = _Ahead(lines)
    first = next((line for line in ahead if line.text.strip()), None)
    if first is None:
        return
    delimiter = delimiter or _delimiter(first.text)
    ahead.give_back([first])
    rows = _rows(ahead, delimiter)
    head = next(rows)
    if isinstance(head, Fault):
        yield head
        return
    layout, rows = _layout(head, rows, column, where)
    for row in rows:
        yield row if isinstance(row, Fault) else _record(row, layout)


def begins_table(line: Line, column: str | None) -> bool:
    """A line of several cells that are names of columns: `url,case`."""
    cells = _cells(line.text, _delimiter(line.text)) or []
    return len(cells) > 1 and names_addresses(cells, column)


def _delimiter(head: str) -> str:
    counts = {mark: head.count(mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: counts[mark])
    return best if counts[best] else NOWHERE


def _layout(
    head: _Row, rows: Iterator[_Row | Fault], column: str | None, where: str
) -> tuple[_Layout, Iterator[_Row | Fault]]:
    """The names of the columns, which of them holds the address, and the rows still to read."""
    if is_headless(head.cells):
        names = [f"column_{at}" for at in range(1, len(head.cells) + 1)]
        at = choose_column(names, head.cells, column, where)
        return _arranged(names, at), itertools.chain([head], rows)
    seen: list[_Row | Fault] = list(itertools.islice(rows, 1))
    sample = seen[0].cells if seen and isinstance(seen[0], _Row) else []
    at = choose_column(head.cells, sample, column, where)
    return _arranged(_distinct(head.cells), at), itertools.chain(seen, rows)


def _arranged(names: Sequence[str], at: int) -> _Layout:
    others = [(place, carried(name)) for place, name in enumerate(names) if name and place != at]
    return _Layout(width=len(names), at=at, others=others)


def _distinct(names: Sequence[str]) -> list[str]:
    """A second column of the same name becomes `name_2`; one without a name is not carried."""
    seen: dict[str, int] = {}
    result = []
    for name in (name.strip() for name in names):
        seen[name] = seen.get(name, 0) + 1
        result.append(f"{name}_{seen[name]}" if name and seen[name] > 1 else name)
    return result


def _rows(ahead: _Ahead, delimiter: str) -> Iterator[_Row | Fault]:
    width: int | None = None
    for line in ahead:
        if not line.text.strip():
            continue
        row = _row(line, ahead, delimiter, width)
        if isinstance(row, _Row):
            width = width or len(row.cells)
        yield row


def _row(line: Line, ahead: _Ahead, delimiter: str, width: int | None) -> _Row | Fault:
    if not line.whole:
        return Fault(line=line.number, text=line.text, why="the line is too long")
    cells = _cells(line.text, delimiter)
    cells = _spanning(line, ahead, delimiter, width) if cells is None else cells
    if cells is None:
        return Fault(
            line=line.number, text=line.text, why="a quote that is never closed or misplaced"
        )
    if width is not None and len(cells) > width:
        why = f"{len(cells)} cells where the first row has {width} (is a quote missing?)"
        return Fault(line=line.number, text=line.text, why=why)
    return _Row(line=line.number, cells=cells)


def _cells(text: str, delimiter: str) -> list[str] | None:
    """The cells of one whole row, or None."""
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _spanning(first: Line, ahead: _Ahead, delimiter: str, width: int | None) -> list[str] | None:
    """A row with a line break inside a quoted cell: read on until its quotes are even."""
    taken = [first]
    quotes = first.text.count('"')
    while quotes % 2 and len(taken) < MAX_SPAN:
        line = next(ahead, None)
        if line is None:
            break
        taken.append(line)
        quotes += line.text.count('"')
    cells = _cells("\n".join(line.text for line in taken), delimiter)
    if cells is None or len(cells) != (width or len(cells)):
        ahead.give_back(taken[1:])
        return None
    return cells


def _record(row: _Row, layout: _Layout) -> Record:
    cells = row.cells + [""] * (layout.width - len(row.cells))
    extra = {name: carried(cells[at]) for at, name in layout.others}
    return Record(line=row.line, address=cells[layout.at], extra=extra)
