"""Who does what only one may do at a time."""

from sqlalchemy import Connection, or_, select

from infra.ledger.clock import now
from infra.ledger.moves import insert_into
from schemas.tables import LeaderTable


def lead(db: Connection, name: str, owner: str, *, lease_s: float) -> bool:
    """True while `owner` leads: it asked first, or the one before fell silent."""
    statement = insert_into(db.dialect.name, LeaderTable).values(
        name=name, owner=owner, until=now() + lease_s
    )
    mine_or_free = or_(LeaderTable.owner == owner, LeaderTable.until <= now())
    taken = db.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "until": now() + lease_s},
            where=mine_or_free,
        ).returning(LeaderTable.owner)
    )
    return taken.first() is not None


def leader(db: Connection, name: str) -> str | None:
    """Who leads now; None where nobody does."""
    led = select(LeaderTable.owner).where(LeaderTable.name == name, LeaderTable.until > now())
    return db.scalar(led)
