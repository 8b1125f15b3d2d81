"""What workers hand in: clips, verdicts, refusals, each under a claim that still holds."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Double, Row, Update, bindparam, select, update

from infra.ledger import extractions, places, result, retention, rows, scores
from infra.ledger.claims import held
from infra.ledger.clock import now
from infra.ledger.moves import NOTHING, Amount, Move, clean, record
from infra.ledger.result import Ending
from infra.ledger.rows import ITEM
from schemas.records import (
    Campaign,
    Claim,
    Classified,
    Extracted,
    Extraction,
    Fetched,
    MediaFacts,
    Rejected,
)
from schemas.stages import Stage
from schemas.tables import NEVER, ExtractionTable, ItemTable, ResultTable
from unmask.errors import TryAgain
from unmask.outcomes import Outcome

SETTLED: dict[str, Any] = {"offered_until": NEVER, "not_before": NEVER}

#: A new stage begins with all attempts.
_UNBURDENED = {"attempts": 0, "suspected": 0}

_UNTIL = now() + bindparam("hand_over_s", type_=Double())
_CHANGE = update(ItemTable).where(ITEM.id == bindparam("row"))
_UPDATE = _CHANGE.returning(*ITEM)
_OFFERED = _UPDATE.values(offered_until=_UNTIL, not_before=_UNTIL)
_ENDED = _UPDATE.values(finished_at=now())


@dataclass(frozen=True, kw_only=True)
class Came:
    """How an item came to its clips."""

    fetched: Fetched
    cpu_seconds: float
    #: The item counts as offered for so long.
    hand_over_s: float


@dataclass(frozen=True, kw_only=True)
class End:
    """An item that ends, and what is written of it beside its outcome."""

    row: Row[Any]
    campaign: Campaign
    stage: Stage
    ending: Ending
    values: dict[str, Any]
    cost: Amount = NOTHING


def extracted(
    db: Connection, row: Row[Any], campaign: Campaign, done: Extracted, *, hand_over_s: float
) -> Move:
    kept = extractions.keep(db, row, done)
    places.store_well(db)
    came = Came(fetched=done.fetched, cpu_seconds=done.cpu_seconds, hand_over_s=hand_over_s)
    return _go_on(db, row, campaign, kept, came)


def reuse(
    db: Connection, row: Row[Any], campaign: Campaign, extraction: Extraction, came: Came
) -> Move:
    kept = extractions.find(db, extraction.sha256, extraction.spec_digest, lock=True)
    if kept is None or not kept.stands:
        raise TryAgain(f"the clips of {extraction.sha256}, to be reused, are gone", after_s=0)
    extractions.refer(db, kept.id, row.id)
    return _go_on(db, row, campaign, kept, came)


def _go_on(db: Connection, row: Row[Any], campaign: Campaign, kept: Row[Any], came: Came) -> Move:
    """To classification, or to the end where the extraction is all there is to say."""
    values = _fetched(row, came.fetched, came.cpu_seconds) | {
        "extraction_id": kept.id,
        "inherited_from": kept.item_id if kept.item_id != row.id else None,
    }
    cost = Amount(cpu_seconds=came.cpu_seconds, bytes_fetched=came.fetched.bytes_fetched)
    outcome = kept.outcome or (Outcome.EXTRACTED if campaign.options.extract_only else None)
    if outcome is None:
        _update(db, row, Stage.EXTRACTED, values | _offered(came), _OFFERED)
        return _move(row, Stage.EXTRACTED, cost=cost)
    ending = Ending(outcome=outcome, reason=kept.reason, media=rows.media(kept.facts))
    done = Stage.DONE
    return end(
        db, End(row=row, campaign=campaign, stage=done, ending=ending, values=values, cost=cost)
    )


def _offered(came: Came) -> dict[str, Any]:
    """The worker sends it on at once, so it counts as offered."""
    return {"offers": 1, "hand_over_s": came.hand_over_s}


def inherit(
    db: Connection, row: Row[Any], campaign: Campaign, fetched: Fetched | None, from_item: int
) -> Move:
    """`fetched` is None for an item that was cut before: its content was known by then."""
    extraction = db.scalar(select(ItemTable.extraction_id).where(ItemTable.id == from_item))
    if extraction is not None:
        retention.lock(db, [extraction])
        extractions.refer(db, extraction, row.id)
    parent = _parent(db, campaign, from_item)
    values = _fetched(row, fetched, 0.0)
    values |= {"extraction_id": extraction, "inherited_from": from_item, "outcome": parent.outcome}
    ended = _update(db, row, Stage.DONE, values | SETTLED, _ENDED)
    result.write_inherited(db, ended, campaign, parent)
    retention.settle(db, [row.id], campaign)
    cost = Amount(bytes_fetched=fetched.bytes_fetched if fetched else 0)
    note = f"as item {from_item}"
    return _move(row, Stage.DONE, parent.outcome, note, footage_s=parent.duration_s, cost=cost)


def _parent(db: Connection, campaign: Campaign, from_item: int) -> Row[Any]:
    spec = ResultTable.scan_spec == campaign.options.spec.digest
    query = select(ResultTable.__table__).where(ResultTable.item_id == from_item, spec)
    found = db.execute(query).first()
    if found is None:
        raise TryAgain(f"the verdict of item {from_item}, to be reused, is gone", after_s=0)
    return found


def reject(db: Connection, done: Sequence[Rejected]) -> set[int]:
    """Stale ones are left out; the others are committed together."""
    mine = held(db, [one.claim for one in done])
    ends = [
        _rejected(mine[one.claim.item], one)
        for one in sorted(done, key=lambda one: one.claim.item)
        if one.claim.item in mine
    ]
    record(db, end_all(db, ends))
    return set(mine)


def _rejected(row: Row[Any], one: Rejected) -> End:
    if not one.outcome.is_rejection:
        raise ValueError(f"{one.outcome} is not a rejection")
    fetched = one.fetched.bytes_fetched if one.fetched else 0
    return End(
        row=row,
        campaign=one.claim.campaign,
        stage=Stage.REJECTED,
        ending=Ending(outcome=one.outcome, reason=one.reason),
        values=_fetched(row, one.fetched, one.cpu_seconds),
        cost=Amount(cpu_seconds=one.cpu_seconds, bytes_fetched=fetched),
    )


def finish(db: Connection, done: Sequence[tuple[Claim, Classified]]) -> set[int]:
    """Stale ones are left out; the others are committed together."""
    mine = held(db, [claim for claim, _ in done])
    retention.will_name(db)
    facts = _facts(db, {row.extraction_id for row in mine.values()})
    ends = [
        _finish(db, row, claim.campaign, classified, facts[row.extraction_id])
        for claim, classified in sorted(done, key=lambda one: one[0].item)
        if (row := mine.get(claim.item))
    ]
    if any(one.evidence for claim, one in done if claim.item in mine):
        places.store_well(db)
    record(db, end_all(db, ends))
    return set(mine)


def _facts(db: Connection, ids: set[int]) -> dict[int, MediaFacts]:
    query = select(ExtractionTable.id, ExtractionTable.facts).where(ExtractionTable.id.in_(ids))
    return {row.id: rows.media(row.facts) for row in db.execute(query)}


def _finish(
    db: Connection, row: Row[Any], campaign: Campaign, done: Classified, media: MediaFacts
) -> End:
    retention.stored_again(db, [one.key for one in done.evidence], row.claimed_at)
    extractions.add_objects(db, row.extraction_id, "evidence", done.evidence)
    scores.keep(db, campaign.options.model_digest, done.scores)
    verdict = done.verdict
    ending = Ending(
        outcome=verdict.outcome,
        reason=verdict.reason,
        media=media,
        verdict=verdict,
        evidence=tuple(one.key for one in done.evidence),
    )
    values = {
        "cpu_seconds": row.cpu_seconds + done.cpu_seconds,
        "gpu_seconds": row.gpu_seconds + done.gpu_seconds,
    }
    cost = Amount(cpu_seconds=done.cpu_seconds, gpu_seconds=done.gpu_seconds)
    stage = Stage.DONE
    return End(row=row, campaign=campaign, stage=stage, ending=ending, values=values, cost=cost)


def end(db: Connection, one: End) -> Move:
    """The item and its result row; the caller records the move in the same transaction."""
    (move,) = end_all(db, [one])
    return move


def end_all(db: Connection, ends: Sequence[End]) -> list[Move]:
    """The same for many, in as few statements as for one where they end alike."""
    if not ends:
        return []
    at = db.execute(select(now())).scalar_one()
    changes = [_changes(one, at) for one in ends]
    _update_all(db, changes)
    lines = []
    for one, to in zip(ends, changes, strict=True):
        item = SimpleNamespace(**{**one.row._mapping, **to})
        lines.append((item, one.campaign, one.ending))
        if item.extraction_id is not None:
            retention.settle(db, [item.id], one.campaign)
    result.write(db, lines)
    return [_moved(one) for one in ends]


def _changes(one: End, at: float) -> dict[str, Any]:
    gone = {"row": one.row.id, "stage": one.stage, "lease_until": NEVER, "owner": ""}
    ended = {"outcome": one.ending.outcome, "finished_at": at}
    return gone | _UNBURDENED | SETTLED | one.values | ended


def _update_all(db: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """One statement for all that change the same columns."""
    alike: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for each in changes:
        alike[frozenset(each)].append(each)
    for group in alike.values():
        db.execute(_CHANGE, group)


def _moved(one: End) -> Move:
    answered = one.ending.media if one.stage is Stage.DONE else None
    footage_s = answered.duration_s if answered else None
    outcome, reason = one.ending.outcome, one.ending.reason
    return _move(one.row, one.stage, outcome, reason, footage_s=footage_s, cost=one.cost)


def _update(
    db: Connection, row: Row[Any], stage: Stage, values: dict[str, Any], statement: Update
) -> Row[Any]:
    given = {"row": row.id, "stage": stage, "lease_until": NEVER, "owner": "", **_UNBURDENED}
    return db.execute(statement, given | values).one()


def _move(
    row: Row[Any],
    stage: Stage,
    outcome: Outcome | None = None,
    reason: str = "",
    *,
    footage_s: float | None = None,
    cost: Amount,
) -> Move:
    move = Move.of(row, stage, ": ".join(word for word in (outcome, reason) if word))
    return dataclasses.replace(move, outcome=outcome, footage_s=footage_s or 0.0, cost=cost)


def _fetched(row: Row[Any], fetched: Fetched | None, cpu_seconds: float) -> dict[str, Any]:
    values: dict[str, Any] = {"cpu_seconds": row.cpu_seconds + cpu_seconds}
    if fetched is None:
        return values
    return values | {
        "final_uri": clean(fetched.final_uri),
        "sha256": fetched.sha256,
        "fetched_part": _part(fetched),
        "bytes_fetched": row.bytes_fetched + fetched.bytes_fetched,
    }


def _part(fetched: Fetched) -> dict[str, Any] | None:
    if fetched.part is None:
        return None
    return {"identity": fetched.sha256, **dataclasses.asdict(fetched.part)}
