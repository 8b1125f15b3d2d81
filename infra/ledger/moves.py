"""Every change of stage goes through `record`: the table of moves, the history and the counts."""

import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self, cast

from sqlalchemy import Connection, Label, Row, func, insert
from sqlalchemy.dialects import postgresql, sqlite

from infra.ledger.clock import now
from schemas.stages import Stage, may_move
from schemas.tables import MoveTable, Table, TallyTable
from unmask.outcomes import Outcome

#: Rows that one count is spread over on PostgreSQL, where many write at once.
SLOTS = 16
#: A longer note is cut.
NOTE_CHARACTERS = 2_000

# Statements are built once: building them costs more than running them.
_HISTORY = insert(MoveTable).values(at=now())


class IllegalMove(AssertionError):
    """Code tried a move that the table of moves does not have; the transaction is undone."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What is added to one running count."""

    items: int = 0
    footage_s: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    bytes_fetched: int = 0
    #: These two never fall.
    ended: int = 0
    answered_ms: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(**{name: getattr(self, name) + getattr(other, name) for name in FIELDS})


FIELDS = tuple(field.name for field in fields(Amount))
NOTHING = Amount()
Key = tuple[int, Stage, str]


@dataclass(frozen=True, kw_only=True)
class Move:
    item: int
    campaign: int
    old: Stage
    new: Stage
    fence: int = 0
    owner: str = ""
    note: str = ""
    old_outcome: Outcome | None = None
    outcome: Outcome | None = None
    #: Seconds of footage that are answered, or (below zero) no longer answered, by this move.
    footage_s: float = 0.0
    #: What the work before it cost.
    cost: Amount = NOTHING

    @classmethod
    def of(cls, row: Row[Any], new: Stage, note: str) -> Self:
        """From where an item's row, as it was read, says that it stands."""
        return cls(
            item=row.id,
            campaign=row.campaign_id,
            old=row.stage,
            new=new,
            fence=row.fence,
            owner=row.owner,
            note=note,
        )


def record(db: Connection, moves: Sequence[Move]) -> None:
    """Write the history of the moves of this transaction, and count them: once, last of all.

    The counts come last and in one order, so that two transactions never wait for each other.
    """
    if not moves:
        return
    for move in moves:
        if not may_move(move.old, move.new):
            raise IllegalMove(f"item {move.item}: {move.old} → {move.new}")
    db.execute(_HISTORY, [_history(move) for move in moves])
    amounts: dict[Key, Amount] = defaultdict(Amount)
    for move in moves:
        _count(amounts, move)
    add(db, amounts)


def add(db: Connection, amounts: dict[Key, Amount]) -> None:
    """Add to the running counts."""
    slot = slot_of(db)
    rows = [
        {"campaign_id": campaign, "stage": stage, "outcome": outcome, "slot": slot}
        | {name: getattr(amount, name) for name in FIELDS}
        for (campaign, stage, outcome), amount in sorted(amounts.items())
    ]
    db.execute(_tally(db.dialect.name), rows)


def sums() -> list[Label[Any]]:
    """Columns that add the slots of a count up, each under its own name."""
    return [func.sum(getattr(TallyTable, name)).label(name) for name in FIELDS]


@cache
def _tally(dialect: str) -> postgresql.Insert:
    statement = insert_into(dialect, TallyTable)
    added = {name: getattr(TallyTable, name) + statement.excluded[name] for name in FIELDS}
    key = ["campaign_id", "stage", "outcome", "slot"]
    return statement.on_conflict_do_update(index_elements=key, set_=added)


def insert_into(dialect: str, table: type[Table]) -> postgresql.Insert:
    """An insert that can meet an existing row; both databases know it by the same words."""
    if dialect == "sqlite":
        return cast("postgresql.Insert", sqlite.insert(table))
    return postgresql.insert(table)


def slot_of(db: Connection) -> int:
    if db.dialect.name == "sqlite":
        return 0
    return (os.getpid() + threading.get_native_id()) % SLOTS


def clean(text: str, limit: int = NOTE_CHARACTERS) -> str:
    """Text that both databases accept: no NUL, no half of a surrogate pair, not endless."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _history(move: Move) -> dict[str, object]:
    return {
        "item_id": move.item,
        "old": move.old,
        "new": move.new,
        "fence": move.fence,
        "owner": move.owner,
        "note": clean(move.note),
    }


def _count(amounts: dict[Key, Amount], move: Move) -> None:
    left, reached = min(move.footage_s, 0.0), max(move.footage_s, 0.0)
    amounts[_key(move.campaign, move.old, move.old_outcome)] += Amount(items=-1, footage_s=left)
    ended, answered_ms = int(move.outcome is not None), round(reached * 1000)
    arrived = Amount(items=1, footage_s=reached, ended=ended, answered_ms=answered_ms) + move.cost
    amounts[_key(move.campaign, move.new, move.outcome)] += arrived


def _key(campaign: int, stage: Stage, outcome: Outcome | None) -> Key:
    return campaign, stage, outcome or ""
