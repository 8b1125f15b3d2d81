"""What workers hand in: clips, verdicts, refusals, each under a claim that still holds."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, Row, Update, bindparam, select, update

from infra.ledger import extractions, places, result, retention, rows, scores
from infra.ledger.claims import held
from infra.ledger.clock import now
from infra.ledger.moves import NOTHING, Amount, Move, clean, record
from infra.ledger.result import Ending
from infra.ledger.rows import ITEM
from schemas.records import Campaign, Claim, Classified, Extracted, Extraction, Fetched, MediaFacts
from schemas.stages import Stage
from schemas.tables import NEVER, ExtractionTable, ItemTable, ResultTable
from unmask.errors import TryAgain
from unmask.outcomes import Outcome

SETTLED: dict[str, Any] = {"offered_until": NEVER, "not_before": NEVER}

#: A new stage begins with all attempts.
_UNBURDENED = {"attempts": 0, "suspected": 0}

_UNTIL = now() + bindparam("hand_over_s", type_=Double())
_UPDATE = update(ItemTable).where(ITEM.id == bindparam("row")).returning(*ITEM)
_OFFERED = _UPDATE.values(offered_until=_UNTIL, not_before=_UNTIL)
_ENDED = _UPDATE.values(finished_at=now())


@dataclass(frozen=True, kw_only=True)
class Came:
    """How an item came to its clips."""

    fetched: Fetched
    cpu_seconds: float
    #: The item counts as offered for so long.
    hand_over_s: float


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
    return end(db, row, campaign, Stage.DONE, ending, values=values, cost=cost)


def _offered(came: Came) -> dict[str, Any]:
    """The worker sends it on at once, so it counts as offered."""
    return {"offers": 1, "hand_over_s": came.hand_over_s}


def inherit(
    db: Connection, row: Row[Any], campaign: Campaign, fetched: Fetched | None, from_item: int
) -> Move:
    """`fetched` is None for an item that was cut before: its content was known by then."""
    extraction = db.scalar(select(ItemTable.extraction_id).where(ItemTable.id == from_item))
    if extraction is not None:
        extractions.lock(db, extraction)
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


def reject(
    db: Connection,
    row: Row[Any],
    campaign: Campaign,
    ending: Ending,
    *,
    fetched: Fetched | None,
    cpu_seconds: float,
) -> Move:
    if not ending.outcome.is_rejection:
        raise ValueError(f"{ending.outcome} is not a rejection")
    values = _fetched(row, fetched, cpu_seconds)
    cost = Amount(cpu_seconds=cpu_seconds, bytes_fetched=fetched.bytes_fetched if fetched else 0)
    return end(db, row, campaign, Stage.REJECTED, ending, values=values, cost=cost)


def finish(db: Connection, done: Sequence[tuple[Claim, Classified]]) -> set[int]:
    """Stale ones are left out; the others are committed together."""
    mine = held(db, [claim for claim, _ in done])
    facts = _facts(db, {row.extraction_id for row in mine.values()})
    moves = [
        _finish(db, row, claim.campaign, classified, facts[row.extraction_id])
        for claim, classified in sorted(done, key=lambda one: one[0].item)
        if (row := mine.get(claim.item))
    ]
    record(db, moves)
    return set(mine)


def _facts(db: Connection, ids: set[int]) -> dict[int, MediaFacts]:
    query = select(ExtractionTable.id, ExtractionTable.facts).where(ExtractionTable.id.in_(ids))
    return {row.id: rows.media(row.facts) for row in db.execute(query)}


def _finish(
    db: Connection, row: Row[Any], campaign: Campaign, done: Classified, media: MediaFacts
) -> Move:
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
    return end(db, row, campaign, Stage.DONE, ending, values=values, cost=cost)


def end(
    db: Connection,
    row: Row[Any],
    campaign: Campaign,
    stage: Stage,
    ending: Ending,
    *,
    values: dict[str, Any],
    cost: Amount = NOTHING,
) -> Move:
    """The item and its result row; the caller records the move in the same transaction."""
    ended = _update(db, row, stage, SETTLED | values | {"outcome": ending.outcome}, _ENDED)
    result.write(db, ended, campaign, ending)
    if ended.extraction_id is not None:
        retention.settle(db, [row.id], campaign)
    answered = ending.media if stage is Stage.DONE else None
    footage_s = answered.duration_s if answered else None
    return _move(row, stage, ending.outcome, ending.reason, footage_s=footage_s, cost=cost)


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
