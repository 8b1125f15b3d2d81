"""Which rows a person should see first, kept in bounded memory."""

from schemas.records import ResultRow
from unmask.outcomes import Outcome

_FIRST = (Outcome.FAKE, Outcome.UNSURE, Outcome.DEAD, Outcome.REAL)
ORDER = (*_FIRST, *[one for one in Outcome if one not in _FIRST])

Rank = tuple[int, float, int]


def rank(row: ResultRow) -> Rank:
    """Fakes, then doubtful ones, the most likely first."""
    place = ORDER.index(row.outcome) if row.outcome else len(ORDER)
    return place, -(row.probability or 0.0), row.item


class Foremost:
    """The first rows by rank of however many there are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[ResultRow] = []
        self.seen = 0

    def add(self, row: ResultRow) -> None:
        self.seen += 1
        self._rows.append(row)
        if len(self._rows) >= 2 * self._most:
            self._rows = self.rows()

    def rows(self) -> list[ResultRow]:
        return sorted(self._rows, key=rank)[: self._most]
