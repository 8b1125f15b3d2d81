"""The table that a scan ends with, and how a row is told in one line of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from producer.plain import shorten
from producer.ranking import ORDER, Foremost
from producer.status import NAME_CELLS, STYLES, cost, counts
from schemas.pace import total
from schemas.records import CampaignStatus, ResultRow
from unmask.wording import percent, printable

#: Rows of the table; the report has them all.
TABLE_ROWS = 40
TABLE_WIDTH = 110


def summary(status: CampaignStatus, rows: Iterable[ResultRow]) -> RenderableType:
    """The closing table: what a person should look at first, and how many there are of the rest."""
    foremost = Foremost(TABLE_ROWS)
    for row in rows:
        foremost.add(row)
    return ClosingTable(status=status, rows=foremost.rows())


@dataclass(frozen=True, kw_only=True)
class ClosingTable:
    """A narrow terminal gets fewer columns, and always the verdict and its reason."""

    status: CampaignStatus
    rows: list[ResultRow]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names, name_cells = _fitting(options.max_width)
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for name in names:
            table.add_column(name, **COLUMNS[name])
        for row in self.rows:
            cells = _cells(row, name_cells)
            table.add_row(*(cells[name] for name in names))
        yield self._title()
        yield table
        yield self._caption()

    def _title(self) -> Text:
        ends = {one.value: self.status.outcomes.get(one, 0) for one in ORDER}
        name = printable(self.status.campaign.options.name)
        return Text.assemble((name, "bold"), f": {counts(ends)}")

    def _caption(self) -> Text:
        rest = total(self.status) - len(self.rows)
        more = f"and {rest:,} more; the report has them all\n" if rest > 0 else ""
        return Text(more + cost(self.status), style="dim")


COLUMNS: Mapping[str, dict[str, Any]] = {
    "item": {"no_wrap": True},
    "verdict": {"no_wrap": True},
    "fake": {"justify": "right", "no_wrap": True},
    "who, when": {"no_wrap": True},
    "why": {"overflow": "fold"},
}
#: From so many cells on: which columns there are, and how long a name may be.
LAYOUTS: Mapping[int, tuple[tuple[str, ...], int]] = {
    100: (("item", "verdict", "fake", "who, when", "why"), NAME_CELLS),
    72: (("item", "verdict", "fake", "why"), 28),
    0: (("item", "verdict", "why"), 20),
}


def _fitting(width: int) -> tuple[tuple[str, ...], int]:
    return next(layout for least, layout in LAYOUTS.items() if width >= least)


def _cells(row: ResultRow, name_cells: int) -> dict[str, Text]:
    name = _name(row.uri)
    outcome = row.outcome.value if row.outcome else "not ended"
    style = STYLES.get(row.outcome, "") if row.outcome else "dim"
    return {
        "item": Text(shorten(printable(name), name_cells)),
        "verdict": Text(outcome, style=style),
        "fake": Text("" if row.probability is None else percent(row.probability)),
        "who, when": Text(_when(row.persons)),
        "why": Text(("breaks off; " if row.partial else "") + why(row)),
    }


def why(row: ResultRow) -> str:
    """Its reason, and before it that the file is another one by now."""
    later = row.superseded_by
    changed = f"the file was changed since, see item {later}; " if later else ""
    return changed + printable(row.reason)


def _name(uri: str) -> str:
    """Files of one scan mostly share a folder; web addresses are told apart by their hosts too."""
    _, web, rest = uri.partition("://")
    return rest if web else uri.rpartition("/")[2] or uri


def _when(persons: list[dict[str, Any]]) -> str:
    """Where to look: the most suspicious stretch of the most suspicious person."""
    found = [
        (segment["probability"], person["person"], segment)
        for person in persons
        for segment in person["segments"]
        if segment["probability"] is not None
    ]
    if found:
        _, person, segment = max(found, key=lambda one: one[0])
        return f"person {person}{_stretch(segment['start_s'], segment['end_s'])}"
    people = Counter(person["person"] for person in persons)
    return f"{len(people)} {'person' if len(people) == 1 else 'people'}" if people else ""


def _stretch(start_s: float, end_s: float) -> str:
    """A picture has no time, and a single frame of a film no end."""
    if end_s > start_s:
        return f", {start_s:.1f}–{end_s:.1f} s"
    return f", {start_s:.1f} s" if start_s > 0 else ""


def printed(content: RenderableType, width: int | None = None) -> None:
    """On a terminal as wide as it is, elsewhere at a width that fits a log."""
    console = Console()
    console.width = width or (console.width if console.is_terminal else TABLE_WIDTH)
    console.print(content, highlight=False)
