"""Two connections at once, in an order that a test chooses, without a wait for luck."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

from sqlalchemy import Engine, event, text

from infra.ledger import Ledger, open_ledger
from tests.polling import until

T = TypeVar("T")
WITHIN_S = 30
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND wait_event_type = 'Lock'"
)


@contextmanager
def beside(ledger: Ledger, before: str, deed: Callable[[Ledger], T]) -> Iterator[Future[T]]:
    """Another process does something just before `ledger` first sends a statement like that.

    The statement is sent when the deed is done or waits for a lock. PostgreSQL only: on SQLite a
    transaction that writes has no other beside it.
    """
    begin = threading.Event()

    def act() -> T:
        begin.wait()
        return deed(other)

    def look(_db: object, _cursor: object, statement: str, *_: object) -> None:
        if not begin.is_set() and re.search(before, statement, re.DOTALL):
            begin.set()
            until(lambda: done.done() or _waits(other.engine), WITHIN_S, every_s=0.01)

    address = ledger.engine.url.render_as_string(hide_password=False)
    with closing(open_ledger(address)) as other, ThreadPoolExecutor(1) as process:
        done = process.submit(act)
        event.listen(ledger.engine, "before_cursor_execute", look)
        try:
            yield done
        finally:
            event.remove(ledger.engine, "before_cursor_execute", look)
            met = begin.is_set()
            begin.set()
    assert met, f"no statement was like {before!r}"


def _waits(engine: Engine) -> bool:
    with engine.connect() as db:
        return bool(db.execute(_WAITING).scalar_one())
