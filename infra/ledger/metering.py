"""What the exporter reads: all counts at once, and the history as it grows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, func, select

from infra.ledger.clock import now
from infra.ledger.moves import sums
from infra.ledger.trouble import charges, loses
from schemas.records import Passed, Tallied
from schemas.stages import ENDS, Stage
from schemas.tables import CampaignTable, MoveTable, TallyTable

#: Writers hold their place in the history before they commit: what is younger may get neighbours.
SETTLED_S = 5.0
#: Moves read at once.
PAGE = 10_000


def tallies(db: Connection) -> list[Tallied]:
    """Of every campaign; the same cost at ten items and at ten million."""
    found = db.execute(
        select(CampaignTable.name, TallyTable.stage, TallyTable.outcome, *sums())
        .join(CampaignTable, CampaignTable.id == TallyTable.campaign_id)
        .group_by(CampaignTable.id, CampaignTable.name, TallyTable.stage, TallyTable.outcome)
        .order_by(CampaignTable.id)
    )
    return [
        Tallied(
            campaign=row.name,
            stage=row.stage,
            outcome=row.outcome,
            items=int(row.items),
            footage_s=row.footage_s,
            cpu_seconds=row.cpu_seconds,
            gpu_seconds=row.gpu_seconds,
            bytes_fetched=int(row.bytes_fetched),
            ended=int(row.ended),
            answered_s=int(row.answered_ms) / 1000,
        )
        for row in found
    ]


def under_way(db: Connection) -> Mapping[str, Mapping[Stage, int]]:
    """By stage, the items of the running campaigns that have some left to end.

    From the counts alone: a campaign that has ended stays `running`, and costs no look of its own.
    """
    items = func.sum(TallyTable.items)
    have_some = (
        select(TallyTable.campaign_id)
        .where(TallyTable.stage.not_in(ENDS))
        .group_by(TallyTable.campaign_id)
        .having(items > 0)
    )
    found = db.execute(
        select(CampaignTable.name, TallyTable.stage, items.label("items"))
        .join(CampaignTable, CampaignTable.id == TallyTable.campaign_id)
        .where(CampaignTable.state == "running", CampaignTable.id.in_(have_some))
        .group_by(CampaignTable.id, CampaignTable.name, TallyTable.stage)
        .order_by(CampaignTable.id)
    )
    stages: dict[str, dict[Stage, int]] = defaultdict(dict)
    for row in found:
        stages[row.name][row.stage] = int(row.items)
    return stages


def last_move(db: Connection) -> int:
    return db.execute(select(func.coalesce(func.max(MoveTable.id), 0))).scalar_one()


def passed(db: Connection, after: int) -> tuple[list[Passed], int]:
    """Moves behind `after` that are settled, without the submits, and where to go on from."""
    found = db.execute(
        select(MoveTable.__table__, (MoveTable.at <= now() - SETTLED_S).label("settled"))
        .where(MoveTable.id > after)
        .order_by(MoveTable.id)
        .limit(PAGE)
    ).all()
    moves = list(takewhile(lambda row: row.settled, found))
    return _told(moves), (moves[-1].id if moves else after)


def _told(moves: Sequence[Row[Any]]) -> list[Passed]:
    return [
        Passed(
            item=move.item_id,
            at=move.at,
            old=move.old,
            new=move.new,
            lost=loses(move.note),
            charged=charges(move.note),
        )
        for move in moves
        if move.old is not None
    ]
