"""Objects live as long as somebody needs them: the longest term of their referrers.

reference ends ─▶ nobody left ─▶ doomed ─▶ taken ─▶ deleted from the store ─▶ results say so
                                            └ a tombstone for an hour or more: who stored the
                                              same object before it was deleted must store it
                                              again

Who takes a doomed object deletes it within `TAKEN_S`, or leaves it. Others may take it as well,
since to delete it twice does no harm; but one of them may be late, so it is not stored again for
`QUIET_S`. What nobody has taken, or not for so long, is named again as it is.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)

from infra.ledger import scores
from infra.ledger.clock import moment, now
from infra.ledger.moves import insert_into
from schemas.records import Campaign, Taken
from schemas.tables import (
    BY_WAITING,
    FOREVER,
    IS_THERE,
    IS_TIMED,
    NEVER,
    DoomedTable,
    ExtractionTable,
    ObjectTable,
    ReferenceTable,
    ResultTable,
)
from unmask.errors import TryAgain

#: References whose end one transaction looks at.
BATCH = 200
#: No tombstone is buried sooner.
TOMBSTONE_S = 3600.0
#: An item that met a deletion comes back after this long.
AFTER_S = 5.0
#: Who took objects begins to delete them within this time, by its own clock, or does not.
TAKEN_S = 30.0
#: What was begun in time has reached the store by then: one try of 5 s to connect, 30 s to answer.
QUIET_S = TAKEN_S + 60.0
#: An object that was doomed so long ago and is still there is overdue.
OVERDUE_S = 600.0
#: More of them are not counted.
OVERDUE_AT_MOST = 100_000
#: What was taken and not deleted may be taken again after this long, and then twice as long each
#: time: who stores the same object meanwhile finds a time in which nobody can be deleting it.
AGAIN_S = 10.0
#: So often it doubles: to three quarters of an hour.
DOUBLINGS = 8

#: Looked up for one after the other: without the offset PostgreSQL takes it for a join that leaves
#: next to nothing, and reads and sorts all that is doomed before it takes a batch.
_NAMED = select(ObjectTable.key).where(ObjectTable.key == DoomedTable.key).offset(0).exists()
#: Never what a row names: a worker of an earlier version may name what is to go.
_WAITING = select(DoomedTable.key).where(text(IS_THERE), ~_NAMED)
#: Many may name objects at the same time, but nobody while somebody looks for what no row names.
_NAMING = text("SELECT pg_advisory_xact_lock_shared(hashtext('unmask.objects'))")
_LOOKING = text("SELECT pg_advisory_xact_lock(hashtext('unmask.objects'))")

EXPIRED = "its term is over"
UNREFERENCED = "nothing points at it"
DAMAGED = "it was not what it should be"


def settle(db: Connection, items: Sequence[int], campaign: Campaign) -> None:
    """They have ended: from now on their terms run."""
    options = campaign.options
    terms = {
        name: now() + kept
        for name, kept in (
            ("until", options.keep_clips_s),
            ("evidence_until", options.keep_evidence_s),
        )
        if kept is not None
    }
    if terms and items:
        mine = update(ReferenceTable).where(ReferenceTable.item_id.in_(items))
        db.execute(mine.values(terms))


def hold(db: Connection, items: Collection[int]) -> None:
    """They are under way again: nothing they need may go."""
    mine = update(ReferenceTable).where(ReferenceTable.item_id.in_(items))
    db.execute(mine.values(until=FOREVER, evidence_until=FOREVER))


def expire(db: Connection) -> int:
    """Doom what nobody needs any more; how many references ended, at most a batch of each kind."""
    clips, pictures = _ended(db, "until"), _ended(db, "evidence_until")
    lock(db, (reference.extraction_id for reference in (*clips, *pictures)))
    for extraction in _unneeded(db, clips, "until"):
        doom_clips(db, extraction, EXPIRED)
    for extraction in _unneeded(db, pictures, "evidence_until"):
        doom(db, _of(extraction, ObjectTable.kind == "evidence"), EXPIRED)
    return len(clips) + len(pictures)


def lock(db: Connection, extractions: Iterable[int]) -> None:
    """In one order, before their references and objects, as everybody does.

    Whoever refers to one meanwhile comes before, or waits and sees.
    """
    if wanted := set(extractions):
        mine = select(ExtractionTable.id).where(ExtractionTable.id.in_(wanted))
        db.execute(locked(mine.order_by(ExtractionTable.id)))


def locked(extractions: Select[Any]) -> Select[Any]:
    """Against who locks them like this, and not against the foreign key of an object.

    Nobody changes the number of an extraction, and on PostgreSQL this lock says so. Who hands in
    many verdicts names their pictures in the order of the items: did the foreign key wait here, two
    could wait for each other.
    """
    return extractions.with_for_update(key_share=True)


def _ended(db: Connection, term: str) -> Sequence[Row[int, int]]:
    """References whose term is over."""
    column = getattr(ReferenceTable, term)
    found = select(ReferenceTable.extraction_id, ReferenceTable.item_id)
    over = found.where(text(IS_TIMED[term]), column <= now())
    return db.execute(over.order_by(column).limit(BATCH)).all()


def _unneeded(db: Connection, ended: Sequence[Row[int, int]], name: str) -> list[int]:
    """Extractions that nobody refers to any more, once these references have ended."""
    if not ended:
        return []
    term = getattr(ReferenceTable, name)
    key = tuple_(ReferenceTable.extraction_id, ReferenceTable.item_id)
    over = update(ReferenceTable).where(key.in_([tuple(row) for row in ended]), term <= now())
    db.execute(over.values({name: NEVER}))
    wanted = sorted({reference.extraction_id for reference in ended})
    needed = select(ReferenceTable.extraction_id).where(
        ReferenceTable.extraction_id.in_(wanted), term > now()
    )
    still = set(db.scalars(needed))
    return [extraction for extraction in wanted if extraction not in still]


def doom_clips(db: Connection, extraction: int, why: str) -> None:
    """Scores go with the clips they belong to."""
    fallen = update(ExtractionTable).where(ExtractionTable.id == extraction)
    db.execute(fallen.values(stands=False))
    clips = _of(extraction, ObjectTable.kind != "evidence")
    scores.forget(db, select(ObjectTable.sha256).where(*clips))
    doom(db, clips, why)


def _of(extraction: int, *conditions: Any) -> tuple[Any, ...]:
    return (ObjectTable.extraction_id == extraction, *conditions)


def doom(db: Connection, conditions: Sequence[Any], why: str) -> None:
    """From the objects that are to those that are to go."""
    condemned = select(
        ObjectTable.key,
        ObjectTable.extraction_id,
        ObjectTable.kind,
        ObjectTable.size,
        literal(why),
        now(),
        literal(NEVER),
    ).where(*conditions)
    db.execute(delete(DoomedTable).where(DoomedTable.key.in_(_keys(conditions))))
    columns = ["key", "extraction_id", "kind", "size", "why", "doomed_at", "deleted_at"]
    db.execute(insert(DoomedTable).from_select(columns, condemned))
    db.execute(delete(ObjectTable).where(*conditions))


def _keys(conditions: Sequence[Any]) -> Any:
    return select(ObjectTable.key).where(*conditions)


def will_name(db: Connection) -> None:
    """Objects that were stored are named in this transaction: before any extraction is locked."""
    if db.dialect.name == "postgresql":
        db.execute(_NAMING)


def doom_unknown(db: Connection, keys: Sequence[str], why: str) -> list[str]:
    """Those of these stored objects that no row points at.

    Who is about to name one comes before and is waited for, or sees that it is to go.
    """
    if not _unknown(db, keys):
        return []
    if db.dialect.name == "postgresql":
        db.execute(_LOOKING)
    if lost := _unknown(db, keys):
        statement = insert_into(db.dialect.name, DoomedTable).on_conflict_do_nothing()
        about = {"extraction_id": None, "kind": "unknown", "size": 0, "why": why}
        lines = [{"key": key, **about} for key in lost]
        db.execute(statement.values(doomed_at=now(), extraction_id=null()), lines)
    return lost


def _unknown(db: Connection, keys: Sequence[str]) -> list[str]:
    known = set(db.scalars(select(ObjectTable.key).where(ObjectTable.key.in_(keys))))
    known |= set(db.scalars(select(DoomedTable.key).where(DoomedTable.key.in_(keys))))
    return [key for key in keys if key not in known]


def doomed(db: Connection, limit: int) -> list[str]:
    return list(db.scalars(_WAITING.order_by(DoomedTable.key).limit(limit)))


def take(db: Connection, limit: int, among: Sequence[str] | None = None) -> Taken:
    """Those that were taken least often come first: what can't be deleted holds up nothing else."""
    at = db.execute(select(now())).scalar_one()
    if among is None:
        in_order = _WAITING.with_hint(DoomedTable, *BY_WAITING)
        due = in_order.where(DoomedTable.taken_at <= at - _rest_s())
        first = due.order_by(DoomedTable.takes, DoomedTable.doomed_at).limit(limit)
        chosen = first.with_for_update(skip_locked=True)
    else:
        chosen = _WAITING.where(DoomedTable.key.in_(among))
        chosen = chosen.order_by(DoomedTable.key).with_for_update()
    keys = tuple(db.scalars(chosen))
    if keys:
        mine = update(DoomedTable).where(DoomedTable.key.in_(keys))
        db.execute(mine.values(takes=DoomedTable.takes + 1, taken_at=at))
    return Taken(keys=keys, at=at)


def _rest_s() -> Any:
    times = DoomedTable.takes - 1
    doublings = case((times < 0, 0), (times > DOUBLINGS, DOUBLINGS), else_=times)
    return AGAIN_S * literal(1).bitwise_lshift(doublings)


def overdue(db: Connection) -> int:
    """Objects that should have gone by now."""
    late = _WAITING.with_hint(DoomedTable, *BY_WAITING).where(
        DoomedTable.doomed_at <= now() - OVERDUE_S
    )
    some = late.limit(OVERDUE_AT_MOST).subquery()
    return db.execute(select(func.count()).select_from(some)).scalar_one()


def gone(db: Connection, keys: Sequence[str], taken_at: float | None = None) -> None:
    """The store has deleted them: the results that named them say so.

    What others took since then is theirs to tell: it may have been stored and doomed once more.
    Who inherits one of these meanwhile comes before and is marked, or waits and reads what is left.
    """
    ours = [DoomedTable.key.in_(keys), DoomedTable.deleted_at == NEVER]
    if taken_at is not None:
        ours.append(DoomedTable.taken_at == taken_at)
    yielded = select(DoomedTable.extraction_id).where(*ours)
    contents = select(ExtractionTable.sha256).where(ExtractionTable.id.in_(yielded))
    lock(db, db.scalars(select(ExtractionTable.id).where(ExtractionTable.sha256.in_(contents))))
    rows = db.execute(
        select(DoomedTable.key, DoomedTable.extraction_id, DoomedTable.kind)
        .where(*ours)
        .order_by(DoomedTable.key)
        .with_for_update()
    ).all()
    db.execute(
        update(DoomedTable)
        .where(DoomedTable.key.in_([row.key for row in rows]))
        .values(deleted_at=now())
    )
    for extraction in sorted({row.extraction_id for row in rows if row.extraction_id}):
        mine = [row for row in rows if row.extraction_id == extraction]
        if any(row.kind != "evidence" for row in mine):
            _mark_clips(db, extraction)
        if pictures := {row.key for row in mine if row.kind == "evidence"}:
            _mark_evidence(db, extraction, pictures)


def bury(db: Connection, held_s: float) -> None:
    """Tombstones that nobody can stumble over any more, as no worker holds an item longer."""
    old = DoomedTable.deleted_at <= now() - max(TOMBSTONE_S, 2 * held_s)
    db.execute(delete(DoomedTable).where(DoomedTable.deleted_at > NEVER, old))


def stored_again(db: Connection, keys: Sequence[str], claimed_at: float) -> None:
    """These objects were stored since `claimed_at`: were they deleted after that, or may yet be?"""
    if not keys:
        return
    mine = DoomedTable.key.in_(keys)
    _spare(db, mine, claimed_at)
    too_late = or_(DoomedTable.deleted_at == NEVER, DoomedTable.deleted_at >= claimed_at)
    found = select(DoomedTable.deleted_at, DoomedTable.taken_at, now().label("at"))
    if waiting := db.execute(found.where(mine, too_late, ~_NAMED)).all():
        after_s = max(_after_s(row) for row in waiting)
        raise TryAgain("the same objects are being deleted; stored again after", after_s=after_s)
    taken_twice = select(func.max(DoomedTable.taken_at) + QUIET_S - now())
    left_s = db.scalar(taken_twice.where(mine, DoomedTable.takes > 1))
    if left_s is not None and left_s > 0:
        raise TryAgain("somebody may still be deleting the same objects", after_s=left_s)
    db.execute(delete(DoomedTable).where(mine))


def _spare(db: Connection, mine: Any, claimed_at: float) -> None:
    """What nobody can be deleting need not go: it was there when it was stored since `claimed_at`.

    Damaged objects go in any case: to store one again leaves it as it is. What is to be erased is
    not taken from the hands of who is about to take it.
    """
    untaken = and_(DoomedTable.takes == 0, DoomedTable.why.in_((EXPIRED, UNREFERENCED)))
    in_vain = and_(DoomedTable.takes > 0, DoomedTable.taken_at + QUIET_S <= claimed_at)
    there = select(DoomedTable.key).where(mine, text(IS_THERE), DoomedTable.why != DAMAGED)
    unhurt = there.where(or_(untaken, in_vain)).order_by(DoomedTable.key).with_for_update()
    if keys := db.scalars(unhurt).all():
        db.execute(delete(DoomedTable).where(DoomedTable.key.in_(keys)))


def _after_s(row: Row[float, float, float]) -> float:
    """A deletion is a matter of moments; one that came to nothing is waited for to its end."""
    since = row.at - row.taken_at
    if row.deleted_at != NEVER or row.taken_at == NEVER or since < AFTER_S:
        return AFTER_S
    return QUIET_S - since if since < QUIET_S - AFTER_S else QUIET_S


def _results(extraction: int) -> Any:
    """Of all items that refer to it, under its own scan spec."""
    items = select(ReferenceTable.item_id).where(ReferenceTable.extraction_id == extraction)
    spec = select(ExtractionTable.spec_digest).where(ExtractionTable.id == extraction)
    return ResultTable.item_id.in_(items), ResultTable.scan_spec == spec.scalar_subquery()


def _mark_clips(db: Connection, extraction: int) -> None:
    stands = select(ExtractionTable.stands).where(ExtractionTable.id == extraction)
    if not db.scalar(stands):
        at = moment(db.execute(select(now())).scalar_one())
        marked = update(ResultTable).where(*_results(extraction))
        db.execute(marked.values(clips_removed_at=at))


def _of_its_content(extraction: int) -> Any:
    """Results under every scan spec: pictures of earlier versions bear none; two may name one."""
    content = select(ExtractionTable.sha256).where(ExtractionTable.id == extraction)
    items = select(ReferenceTable.item_id).join(
        ExtractionTable, ExtractionTable.id == ReferenceTable.extraction_id
    )
    return ResultTable.item_id.in_(items.where(ExtractionTable.sha256 == content.scalar_subquery()))


def _mark_evidence(db: Connection, extraction: int, pictures: set[str]) -> None:
    at = moment(db.execute(select(now())).scalar_one())
    for row in db.execute(select(*RESULT_EVIDENCE).where(_of_its_content(extraction))).all():
        if pictures & named(row):
            db.execute(
                update(ResultTable)
                .where(*key_of(row))
                .values(evidence_removed_at=at, **without(row, pictures))
            )


RESULT_EVIDENCE = (
    ResultTable.item_id,
    ResultTable.scan_spec,
    ResultTable.model_digest,
    ResultTable.persons,
    ResultTable.evidence,
)


def key_of(row: Row[Any]) -> tuple[Any, ...]:
    return (
        ResultTable.item_id == row.item_id,
        ResultTable.scan_spec == row.scan_spec,
        ResultTable.model_digest == row.model_digest,
    )


def named(row: Row[Any]) -> set[str]:
    segments = [segment for person in row.persons for segment in person["segments"]]
    pictures = {segment.get(kind) for segment in segments for kind in ("evidence", "heat")}
    return {key for key in pictures | set(row.evidence) if key}


def without(row: Row[Any], pictures: Collection[str]) -> dict[str, Any]:
    """Evidence and persons of a result that no longer name these pictures."""
    persons = [
        person | {"segments": [_bare(segment, pictures) for segment in person["segments"]]}
        for person in row.persons
    ]
    return {"persons": persons, "evidence": [one for one in row.evidence if one not in pictures]}


def _bare(segment: dict[str, Any], pictures: Collection[str]) -> dict[str, Any]:
    lost = {kind: None for kind in ("evidence", "heat") if segment.get(kind) in pictures}
    return segment | lost
