"""Who was in hand beside whom, read from the history: what one process held at the same time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from infra.ledger import Ledger
from infra.ledger.trouble import ATTEMPT
from schemas.stages import RETURNS, Stage
from schemas.tables import MoveTable


@dataclass(frozen=True, kw_only=True)
class Held:
    """One claim, from the move that took the item to the one that ended it."""

    item: int
    stage: Stage
    attempt: int
    #: Items that the same process held at any moment of it. A pool process has one message at a
    #: time: there they came behind the same one.
    beside: set[int] = field(default_factory=set)


def claims(ledger: Ledger) -> list[Held]:
    """All of them, in the order in which they were made."""
    with ledger.engine.connect() as db:
        return list(_claims(db))


def _claims(db: Connection) -> Iterator[Held]:
    hands: dict[str, dict[int, Held]] = defaultdict(dict)
    for move in db.execute(select(MoveTable.__table__).order_by(MoveTable.id)):
        hand = hands[move.owner]
        hand.pop(move.item_id, None)
        if move.new not in RETURNS:
            continue
        taken = Held(
            item=move.item_id,
            stage=move.new,
            attempt=int(move.note.removeprefix(ATTEMPT) or 1),
            beside=set(hand),
        )
        for other in hand.values():
            other.beside.add(taken.item)
        hand[taken.item] = taken
        yield taken
