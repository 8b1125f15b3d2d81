"""results.csv: for spreadsheets, so no cell may begin a formula."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from producer.report.flat import COLUMNS, json_record
from schemas.records import ResultRow
from unmask.wording import printable

#: Where a spreadsheet may see a cell begin: at the start, and where a reader with another idea of
#: the separator would split. What follows there must not be a formula's first character.
FORMULA = re.compile(r"(\A|[;\t\r\n])('*[=+\-@＝＋－＠])")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
#: The columns of the input table become columns `input.NAME`, as the first rows have them.
LOOK_AHEAD = 1000
MAX_INPUT_COLUMNS = 50
INPUT = "input."


#: What may stand in a cell and is not printed: a spreadsheet shows them as what they are.
BREAKS = "\t\r\n"


def guarded(text: str) -> str:
    """A formula is shown, not run: it gets an apostrophe in front. A number is left alone.

    >>> guarded("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'\2", visible(text))


def visible(text: str) -> str:
    """What would steer a terminal or turn a line around is shown as an escape.

    results.jsonl and results.parquet, which programs read, keep it as it was.
    """
    if text.isprintable():
        return text
    return "".join(one if one in BREAKS else printable(one) for one in text)


@contextmanager
def csv_file(path: Path) -> Iterator[Callable[[ResultRow], None]]:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = _Table(csv.writer(file, lineterminator="\r\n"))
        yield table.add
        table.flush()


class _Table:
    """Holds the first rows back until it knows the columns of the input table."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._held: list[dict[str, Any]] = []
        self._inputs: list[str] | None = None

    def add(self, row: ResultRow) -> None:
        self._held.append(json_record(row))
        if self._inputs is not None or len(self._held) >= LOOK_AHEAD:
            self.flush()

    def flush(self) -> None:
        if self._inputs is None:
            self._inputs = _inputs(self._held)
            self._writer.writerow([*COLUMNS, *(guarded(INPUT + name) for name in self._inputs)])
        for one in self._held:
            self._writer.writerow(_cells(one, self._inputs))
        self._held.clear()


def _inputs(rows: list[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row["extra"])
    return list(names)[:MAX_INPUT_COLUMNS]


def _cells(row: dict[str, Any], inputs: list[str]) -> list[str]:
    values = [row[name] for name in COLUMNS] + [row["extra"].get(name) for name in inputs]
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return guarded(value)
        case int() | float():
            return json.dumps(value)
        case _:
            return guarded(_json(value))


def _json(value: Any) -> str:
    """Readable where every character can be shown, and JSON all the same where one can't."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
