"""A campaign again under another model: from stored clips where they fit, from the source else."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select, update

from infra.ledger import extractions, retention, rows
from infra.ledger.campaigns import take_more
from infra.ledger.clock import now
from infra.ledger.ends import End, end
from infra.ledger.moves import Amount, Move, add, insert_into, record
from infra.ledger.result import Ending
from infra.ledger.rows import ITEM
from infra.redact import label
from schemas.records import Campaign, Changed, RescanPart, RescanPlan, Submitted
from schemas.stages import Stage
from schemas.tables import (
    ExtractionTable,
    ItemTable,
    ObjectTable,
    ResultTable,
)

#: Items that one transaction takes over.
BATCH = 1_000
#: Examples of what must be fetched again.
SHOWN = 5

_FETCHED = ("sha256", "final_uri", "fetched_part")
_TAKEN = ("digest", "uri", "host", "trust", "stamp", "source", "extra", *_FETCHED)
#: Nothing of it was erased: who asked for that does not want it back.
_WHOLE = ResultTable.erased_at.is_(None)


def _of(source: Campaign) -> Any:
    """What has an answer; everything else has nothing that a model could judge."""
    return and_(
        ResultTable.campaign_id == source.id,
        ItemTable.stage == Stage.DONE,
        ItemTable.sha256.is_not(None),
    )


def _fits(spec_digest: str) -> Any:
    return and_(
        ExtractionTable.sha256 == ItemTable.sha256,
        ExtractionTable.spec_digest == spec_digest,
        ExtractionTable.stands,
    )


def plan(db: Connection, source: Campaign, spec_digest: str) -> RescanPlan:
    """What would be done, and what it cost the time before."""
    kind: ColumnElement[str] = case(
        (~_WHOLE, "erased"),
        (ExtractionTable.id.is_(None), "fetch"),
        (ExtractionTable.outcome.is_not(None), "answered"),
        else_="clips",
    )
    found = db.execute(
        select(
            kind.label("kind"),
            func.count().label("items"),
            func.sum(ItemTable.bytes_fetched).label("bytes"),
            func.sum(ItemTable.cpu_seconds).label("cpu"),
            func.sum(ItemTable.gpu_seconds).label("gpu"),
            func.sum(func.coalesce(ResultTable.duration_s, 0.0)).label("footage"),
        )
        .select_from(ItemTable)
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .outerjoin(ExtractionTable, _fits(spec_digest))
        .where(_of(source))
        .group_by(kind)
    ).all()
    parts = {row.kind: _part(row) for row in found}
    total = db.execute(
        select(func.count()).select_from(ItemTable).where(ItemTable.campaign_id == source.id)
    ).scalar_one()
    return RescanPlan(
        clips=parts.get("clips", RescanPart()),
        answered=parts.get("answered", RescanPart()),
        fetch=parts.get("fetch", RescanPart()),
        erased=parts.get("erased", RescanPart()).items,
        left_out=total - sum(part.items for part in parts.values()),
        clip_bytes=_clip_bytes(db, source, spec_digest),
        fetched_again=tuple(_fetched_again(db, source, spec_digest)),
    )


def _part(row: Any) -> RescanPart:
    return RescanPart(
        items=row.items,
        bytes_fetched=int(row.bytes),
        cpu_seconds=float(row.cpu),
        gpu_seconds=float(row.gpu),
        footage_s=float(row.footage),
    )


def _clip_bytes(db: Connection, source: Campaign, spec_digest: str) -> int:
    fitting = (
        select(ExtractionTable.id)
        .join(ItemTable, _fits(spec_digest))
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .where(_of(source), _WHOLE, ExtractionTable.outcome.is_(None))
        .distinct()
    )
    sizes = select(func.coalesce(func.sum(ObjectTable.size), 0))
    clips = sizes.where(ObjectTable.extraction_id.in_(fitting), ObjectTable.kind != "evidence")
    return int(db.execute(clips).scalar_one())


def _fetched_again(db: Connection, source: Campaign, spec_digest: str) -> Iterator[str]:
    found = db.scalars(
        select(ItemTable.uri)
        .join(ResultTable, ResultTable.item_id == ItemTable.id)
        .outerjoin(ExtractionTable, _fits(spec_digest))
        .where(_of(source), _WHOLE, ExtractionTable.id.is_(None))
        .order_by(ItemTable.id)
        .limit(SHOWN)
    )
    return map(label, found)


def take_over(
    db: Connection, source: Campaign, campaign: Campaign, after: int, *, fetch: bool
) -> tuple[Submitted, int] | None:
    """Up to a batch of items beyond `after`, and the last of them; None where there is none."""
    take_more(db, campaign.id, "rescan")
    old = db.execute(
        select(ITEM.id, *(ITEM[name] for name in _TAKEN))
        .join(ResultTable, ResultTable.item_id == ITEM.id)
        .where(_of(source), _WHOLE, ITEM.id > after)
        .order_by(ITEM.id)
        .limit(BATCH)
        .with_for_update(read=True, of=ItemTable)
    ).all()
    if not old:
        return None
    fits = _locked(db, campaign, [row.sha256 for row in old])
    whole = _still_whole(db, [row.id for row in old])
    wanted = [row for row in old if row.id in whole and (fetch or row.sha256 in fits)]
    new = _insert(db, campaign, wanted, fits) if wanted else []
    _begin(db, campaign, new, fits)
    return Submitted(new=len(new), known=len(wanted) - len(new)), old[-1].id


def _locked(db: Connection, campaign: Campaign, contents: Sequence[str]) -> dict[str, Row[Any]]:
    """The extractions that fit, by content.

    Nothing of these contents goes or is erased while this transaction lasts, under any scan spec.
    """
    mine = select(*rows.EXTRACTION).where(rows.EXTRACTION.sha256.in_(set(contents)))
    found = db.execute(retention.locked(mine.order_by(rows.EXTRACTION.id)))
    spec = campaign.options.spec.digest
    return {row.sha256: row for row in found if row.stands and row.spec_digest == spec}


def _still_whole(db: Connection, items: Sequence[int]) -> set[int]:
    """Those of which nothing was erased before their contents were locked."""
    return set(
        db.scalars(select(ResultTable.item_id).where(ResultTable.item_id.in_(items), _WHOLE))
    )


def _insert(
    db: Connection, campaign: Campaign, wanted: Sequence[Row[Any]], fits: dict[str, Row[Any]]
) -> Sequence[Row[Any]]:
    statement = insert_into(db.dialect.name, ItemTable).values(
        campaign_id=campaign.id, submitted_at=now()
    )
    upsert = statement.on_conflict_do_nothing(index_elements=["campaign_id", "digest"])
    lines = [_line(row, fits.get(row.sha256)) for row in wanted]
    return db.execute(upsert.returning(ITEM.id, ITEM.sha256, ITEM.stage), lines).all()


def _line(row: Row[Any], fit: Row[Any] | None) -> dict[str, Any]:
    taken = {name: getattr(row, name) for name in _TAKEN}
    if fit is None:
        begun = {"stage": Stage.WAITING, "extraction_id": None, "inherited_from": None}
        return taken | begun | dict.fromkeys(_FETCHED)
    return taken | {
        "stage": Stage.EXTRACTED,
        "extraction_id": fit.id,
        "inherited_from": fit.item_id,
    }


def _begin(
    db: Connection, campaign: Campaign, new: Sequence[Row[Any]], fits: dict[str, Row[Any]]
) -> None:
    cut = [row for row in new if row.stage is Stage.EXTRACTED]
    amounts = {
        (campaign.id, stage, ""): Amount(items=count)
        for stage, count in ((Stage.EXTRACTED, len(cut)), (Stage.WAITING, len(new) - len(cut)))
        if count
    }
    for row in cut:
        extractions.refer(db, fits[row.sha256].id, row.id)
    if amounts:
        add(db, amounts)
    answered = [row for row in cut if fits[row.sha256].outcome is not None]
    moves = [_answer(db, campaign, row.id, fits[row.sha256]) for row in answered]
    record(db, [first for first, _ in moves])
    record(db, [last for _, last in moves])


def _answer(db: Connection, campaign: Campaign, item: int, fit: Row[Any]) -> tuple[Move, Move]:
    """No model was asked the first time, so none is asked now."""
    held = (
        update(ItemTable).where(ITEM.id == item).values(stage=Stage.CLASSIFYING, started_at=now())
    )
    row = db.execute(held.returning(*ITEM)).one()
    first = Move(item=item, campaign=campaign.id, old=Stage.EXTRACTED, new=Stage.CLASSIFYING)
    ending = Ending(outcome=fit.outcome, reason=fit.reason, media=rows.media(fit.facts))
    done = End(row=row, campaign=campaign, stage=Stage.DONE, ending=ending, values={})
    return first, end(db, done)


def changed(
    db: Connection, before: Campaign, now_: Campaign, after: int, limit: int
) -> list[Changed]:
    """Items that both campaigns have answered, and not alike."""
    old, new = ItemTable.__table__.alias("old"), ItemTable.__table__.alias("new")
    was, is_ = ResultTable.__table__.alias("was"), ResultTable.__table__.alias("is")
    found = db.execute(
        select(
            old.c.id,
            new.c.id.label("item"),
            new.c.uri,
            was.c.outcome.label("outcome_before"),
            was.c.probability.label("probability_before"),
            is_.c.outcome,
            is_.c.probability,
        )
        .join(new, and_(new.c.campaign_id == now_.id, new.c.digest == old.c.digest))
        .join(was, was.c.item_id == old.c.id)
        .join(is_, is_.c.item_id == new.c.id)
        .where(old.c.campaign_id == before.id, old.c.id > after)
        .where(was.c.outcome != is_.c.outcome)
        .order_by(old.c.id)
        .limit(limit)
    )
    return [
        Changed(
            before=row.id,
            item=row.item,
            uri=label(row.uri),
            outcome_before=row.outcome_before,
            probability_before=row.probability_before,
            outcome=row.outcome,
            probability=row.probability,
        )
        for row in found
    ]
