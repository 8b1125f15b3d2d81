"""Items that failed, the latest first, found by an index that holds nothing else.

Our own failures come before what the archive refused: among a million dead links the one item that
died by a fault of ours is what a person looks for.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, select, text, tuple_

from infra.ledger.clock import moment
from infra.redact import label
from schemas.records import Failure
from schemas.stages import Stage
from schemas.tables import BY_FAILED, FOREVER, IS_FAILED, ItemTable, ResultTable

#: Failures that a status shows, and how many of them may be dead while there are others.
SHOWN = 8
DEAD_SHOWN = 4
#: Failures read at once; each may carry a log of some kilobytes.
PAGE = 200

#: When an item ended, and its number.
Place = tuple[float, int]
#: Before the latest.
LATEST: Place = (FOREVER, 0)


def lately(db: Connection, campaign: int) -> tuple[Failure, ...]:
    dead, _ = page(db, campaign, Stage.DEAD, SHOWN)
    refused, _ = page(db, campaign, Stage.REJECTED, SHOWN)
    dead = dead[: max(DEAD_SHOWN, SHOWN - len(refused))]
    return (*dead, *refused[: SHOWN - len(dead)])


def page(
    db: Connection, campaign: int, stage: Stage, limit: int, before: Place = LATEST
) -> tuple[list[Failure], Place]:
    """Those that ended before that, and where to go on from."""
    place = tuple_(ItemTable.finished_at, ItemTable.id)
    found = db.execute(
        select(ItemTable.id, ItemTable.finished_at, ItemTable.log)
        .with_hint(ItemTable, *BY_FAILED)
        .where(ItemTable.campaign_id == campaign, ItemTable.stage == stage, text(IS_FAILED))
        .where(place < before)
        .order_by(ItemTable.finished_at.desc(), ItemTable.id.desc())
        .limit(limit)
    ).all()
    if not found:
        return [], before
    return _told(db, stage, found), (found[-1].finished_at, found[-1].id)


def _told(db: Connection, stage: Stage, found: Sequence[Row[int, float, str]]) -> list[Failure]:
    wanted = ResultTable.item_id.in_([row.id for row in found])
    columns = (ResultTable.item_id, ResultTable.uri, ResultTable.outcome, ResultTable.reason)
    results = {row.item_id: row for row in db.execute(select(*columns).where(wanted))}
    return [
        Failure(
            item=row.id,
            uri=label(results[row.id].uri),
            at=moment(row.finished_at),
            outcome=results[row.id].outcome,
            reason=" ".join(results[row.id].reason.split()),
            log=row.log if stage is Stage.DEAD else "",
        )
        for row in found
        if row.id in results
    ]
