"""Rows for reports, and the history of one item; nothing here writes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from infra.ledger.clock import moment, moment_or_none
from infra.redact import redact, redact_values
from schemas.records import Campaign, CampaignOptions, Moved, ResultRow
from schemas.stages import Stage
from schemas.tables import ItemTable, MoveTable, ResultTable

#: Rows read at once: a campaign streams, and no transaction lasts long.
PAGE = 1_000

RESULT = ResultTable.__table__.c
#: What is told of every item, ended or not.
ALWAYS = {"uri", "source", "extra", "outcome", "reason", "submitted_at", "started_at"}
#: Columns of the row that only an ended item has.
ANSWER = {field.name for field in dataclasses.fields(ResultRow)} & set(RESULT.keys()) - ALWAYS


def page(db: Connection, campaign: Campaign, after: int, limit: int) -> list[ResultRow]:
    """Items beyond `after` in the order in which they were submitted, ended or not."""
    item = ItemTable
    found = db.execute(
        select(
            item.id,
            item.uri.label("real_uri"),
            item.source.label("line"),
            item.extra.label("columns"),
            item.stamp,
            item.stage,
            item.last_error,
            item.log.label("last_log"),
            item.submitted_at.label("submitted"),
            item.started_at.label("started"),
            *RESULT,
        )
        .outerjoin(ResultTable, ResultTable.item_id == item.id)
        .where(item.campaign_id == campaign.id, item.id > after)
        .order_by(item.id)
        .limit(limit)
    ).all()
    later = _later_versions(db, campaign, found)
    return [_result(campaign, row, later.get(row.real_uri)) for row in found]


def _later_versions(
    db: Connection, campaign: Campaign, found: Sequence[Row[Any]]
) -> Mapping[str, int]:
    """By path, the last item that ended of each file among them, in this campaign.

    Found by address alone: the campaign would lead past the index, to all of its rows.
    """
    paths = {row.real_uri for row in found if row.stamp}
    if not paths:
        return {}
    query = (
        select(ItemTable.id, ItemTable.uri, ItemTable.campaign_id)
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .where(ResultTable.uri.in_({redact(path) for path in paths}))
    )
    ended = sorted((row.id, row.uri) for row in db.execute(query) if row.campaign_id == campaign.id)
    return {path: item for item, path in ended if path in paths}


def _result(campaign: Campaign, row: Row[Any], latest: int | None) -> ResultRow:
    ended = row.outcome is not None
    return ResultRow(
        campaign=campaign.options.name,
        item=row.id,
        uri=redact(row.real_uri),
        source=row.line,
        extra=redact_values(row.columns),
        stage=row.stage,
        outcome=row.outcome,
        reason=row.reason if ended else row.last_error,
        log=row.last_log if row.stage is Stage.DEAD else "",
        submitted_at=moment(row.submitted),
        started_at=moment_or_none(row.started),
        superseded_by=latest if latest is not None and latest > row.id else None,
        **_asked_for(campaign.options),
        **(_answer(row) if ended else {}),
    )


def _answer(row: Row[Any]) -> dict[str, Any]:
    """A redirect may end at a signed address."""
    found = {name: getattr(row, name) for name in ANSWER}
    return found | {"final_uri": found["final_uri"] and redact(found["final_uri"])}


def _asked_for(options: CampaignOptions) -> dict[str, Any]:
    return {
        "frames": options.spec.frames,
        "moments": options.spec.moments,
        "stride": options.spec.stride,
        "priority": options.priority.name.lower(),
        "extract_only": options.extract_only,
    }


def history(db: Connection, item: int) -> list[Moved]:
    """Its submit stands in the item's own row: a second one would halve the speed of submits."""
    itself = db.execute(
        select(ItemTable.submitted_at, ItemTable.stage).where(ItemTable.id == item)
    ).first()
    found = db.execute(
        select(MoveTable.__table__).where(MoveTable.item_id == item).order_by(MoveTable.id)
    ).all()
    moves = [_moved(row) for row in found]
    if itself is None or (moves and moves[0].old is None):
        return moves
    began = (moves[0].old if moves else itself.stage) or Stage.WAITING
    return [_submitted(itself.submitted_at, began), *moves]


def _submitted(at: float, began: Stage) -> Moved:
    return Moved(at=moment(at), old=None, new=began, fence=0, owner="", note="")


def _moved(row: Row[Any]) -> Moved:
    return Moved(
        at=moment(row.at),
        old=row.old,
        new=row.new,
        fence=row.fence,
        owner=row.owner,
        note=row.note,
    )
