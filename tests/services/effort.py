"""What a database does for one step of the ledger: told apart from how fast the machine is."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, text

from infra.ledger import Ledger

#: What one step may read, whatever the backlog: thousands of SQLite's instructions, pages of
#: PostgreSQL. Reading the backlog from end to end takes ten times as much of either.
SQLITE_LIMIT = 60
POSTGRESQL_LIMIT = 400
#: Those that grow with the archive, or with what is to go of it.
TABLES = re.compile(r"\b(item|result|tally|doomed)\b")


class Effort:
    """What the database does for each step."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.engine
        sqlite = self._engine.dialect.name == "sqlite"
        self.limit = SQLITE_LIMIT if sqlite else POSTGRESQL_LIMIT
        self._thousands = 0
        self._seen: list[tuple[str, Any]] = []
        if sqlite:
            event.listen(self._engine, "checkout", self._count)
        else:
            event.listen(self._engine, "before_cursor_execute", self._note)

    def of(self, step: Callable[[], object]) -> int:
        self._thousands, self._seen = 0, []
        step()
        if self._engine.dialect.name == "sqlite":
            return self._thousands
        seen = list(self._seen)
        return max((self._pages(statement, given) for statement, given in seen), default=0)

    def _count(self, connection: Any, *_: object) -> None:
        def thousand() -> int:
            self._thousands += 1
            return 0

        connection.set_progress_handler(thousand, 1_000)

    def _note(self, _db: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if TABLES.search(statement) and not statement.startswith("EXPLAIN"):
            self._seen.append((statement, given))

    def _pages(self, statement: str, given: Any) -> int:
        given = given[0] if isinstance(given, list) else given
        with self._engine.connect() as db:
            how = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
            (plan,) = db.exec_driver_sql(how + statement, given).scalar_one()
        return int(plan["Plan"]["Shared Hit Blocks"]) + int(plan["Plan"]["Shared Read Blocks"])


def analyse(ledger: Ledger) -> None:
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
