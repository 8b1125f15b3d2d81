"""A connection that lay idle may be dead by now: it is asked before it is used again.

One that was in use a moment ago is not asked. That would be a round trip more for each transaction,
of which an item needs several in a row.
"""

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

#: Idle for longer than this, it is asked.
ASKED_AFTER_S = 1.0
_LEFT_AT = "left_at"


def prepare(engine: Engine) -> None:
    """Where one is dead, those that lay idle beside it are made anew too."""

    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        left_at = record.info.get(_LEFT_AT)
        if left_at is None or time.monotonic() <= left_at + ASKED_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError(f"an idle connection is dead: {error}") from error

    event.listen(engine, "checkout", ask)
    event.listen(engine, "checkin", _leave)


def _leave(_connection: Any, record: Any) -> None:
    record.info[_LEFT_AT] = time.monotonic()
