"""Where a process of the fleet kills itself, once, chosen by its environment.

A move of an item is a place of its own, before and after its transaction is committed:
`extracting>extracted:before`, `extracting>extracted:after`. One that several items make in the same
transaction is another place beside: `extracting>rejected:before:together`.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from infra.ledger import Ledger

#: Names of places, separated by commas.
PLACES = "CHAOS_KILL_AT"
#: Set where the process shall freeze there instead.
FREEZE = "CHAOS_FREEZE"
#: Places that are no move of an item: how a statement there begins, and what it speaks of.
STATEMENTS = {
    "window": ("UPDATE item SET", "offered_until"),
    "doom": ("INSERT INTO doomed", ""),
    "take": ("UPDATE doomed SET takes", ""),
    "gone": ("UPDATE doomed SET deleted_at", ""),
}
#: Ends the place of a move that several items made in one transaction.
TOGETHER = "together"
#: A folder that remembers what happened once and must not happen again.
MEMORY = "CHAOS_MEMORY"


def reached(place: str) -> None:
    """The process ends here if it was told to and nobody else has ended here before."""
    if place in os.environ.get(PLACES, "").split(",") and first(place):
        os.kill(os.getpid(), signal.SIGSTOP if os.environ.get(FREEZE) else signal.SIGKILL)


def first(event_name: str) -> bool:
    """True once, over all processes of the fleet."""
    try:
        (memory() / event_name.replace("/", "_")).open("x").close()
    except FileExistsError:
        return False
    return True


def memory() -> Path:
    return Path(os.environ[MEMORY])


class Watched(Ledger):
    """A ledger whose transactions are places."""

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with super()._write() as db:
            made: Counter[str] = Counter()
            db.info["moves"] = made
            yield db
            for move in sorted(made):
                _reached(move, "before", made[move])
        for move in sorted(made):
            _reached(move, "after", made[move])


def _reached(move: str, when: str, items: int) -> None:
    reached(f"{move}:{when}")
    if items > 1:
        reached(f"{move}:{when}:{TOGETHER}")


def watched(ledger: Ledger) -> Watched:
    event.listen(ledger.engine, "before_cursor_execute", _note)
    return Watched(ledger.engine, policy=ledger.policy)


def _note(
    db: Connection, _cursor: object, statement: str, _given: object, context: Any, _many: bool
) -> None:
    if statement.startswith("INSERT INTO move") and context is not None:
        for line in context.compiled_parameters:
            if line.get("new"):
                db.info.setdefault("moves", Counter())[f"{line['old']}>{line['new']}"] += 1
    for place, (beginning, part) in STATEMENTS.items():
        if statement.startswith(beginning) and part in statement:
            db.info.setdefault("moves", Counter())[place] += 1
