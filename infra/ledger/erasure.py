"""What a person asks to be erased goes at once, whatever its term; who inherited it is marked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from infra.hosts import NO_HOST
from infra.ledger import retention, scores
from infra.ledger.clock import moment, now
from infra.ledger.moves import Move, record
from infra.ledger.rows import ITEM
from schemas.records import Erased
from schemas.stages import ENDS, RETURNS, Stage
from schemas.tables import (
    NEVER,
    DoomedTable,
    ExtractionTable,
    ItemTable,
    MoveTable,
    ObjectTable,
    ReferenceTable,
    ResultTable,
)
from unmask.errors import Unusable

#: Stands in place of the address.
GONE = "erased"
WHY = "erased on request"
ERASED_PERSON = "person {} was erased on request"
#: What a verdict says of somebody begins with a number: `person 2: …`.
_OF_SOMEBODY = "%person %"

_BLANK: dict[str, Any] = {
    "uri": GONE,
    "host": NO_HOST,
    "hop": NO_HOST,
    "stamp": "",
    "source": "",
    "extra": {},
    "final_uri": None,
    "sha256": None,
    "fetched_part": None,
    "extraction_id": None,
    "inherited_from": None,
    "outcome": None,
    "last_error": "",
    "log": "",
    "owner": "",
    "not_before": NEVER,
    "offered_until": NEVER,
    "stage": Stage.CANCELLED,
}


def erase_item(db: Connection, item: int) -> Erased:
    """The item, and the clips, pictures and scores of its content under every spec and model."""
    row = _item(db, item)
    extractions = _locked(db, row.sha256)
    results = _results_of(db, row)
    removed, forgotten = _doom_content(db, extractions)
    words = f"clips and evidence were erased with item {item}"
    notes = sum(_mark(db, result, words) for result in results if result.item_id != item)
    notes += _blank(db, row, results)
    heirs = sorted({result.item_id for result in results} - {item})
    return Erased(
        item=item,
        again=row.uri == GONE,
        sha256=row.sha256,
        objects=removed,
        scores=forgotten,
        words=tuple(_words(row, results)),
        notes=notes,
        heirs=tuple(heirs),
    )


def erase_person(db: Connection, item: int, person: int) -> Erased:
    """One person of an item, by the number in its result.

    All clips of the content go: a set of clips without one of its people can't be scored. Under
    other scan specs the same person may bear another number, so there nobody keeps a picture.
    """
    row = _item(db, item)
    extractions = _locked(db, row.sha256)
    results = _results_of(db, row)
    own = next((one for one in results if one.item_id == item), None)
    numbers = [who["person"] for who in own.persons] if own else []
    if own is None or person not in numbers:
        there = f"its people are {', '.join(map(str, numbers))}" if numbers else "it shows nobody"
        if row.uri == GONE or (own and ERASED_PERSON.format(person) in own.notes):
            there = "that was erased before"
        raise Unusable(f"item {item} has no person {person}: {there}")
    kept = {
        key
        for result in results
        if result.scan_spec == own.scan_spec
        for key in retention.named(result) - _pictures(result, person)
    }
    removed, forgotten = _doom_content(db, extractions, kept)
    notes = 0
    for result in results:
        same = result.scan_spec == own.scan_spec
        words = ERASED_PERSON.format(person) if same else "people were erased on request"
        notes += _mark(db, result, words, person if same else None)
    heirs = tuple(sorted({one.item_id for one in results} - {item}))
    return Erased(
        item=item,
        person=person,
        sha256=row.sha256,
        objects=removed,
        scores=forgotten,
        notes=notes,
        heirs=heirs,
    )


def _item(db: Connection, item: int) -> Row[Any]:
    row = db.execute(select(*ITEM).where(ITEM.id == item).with_for_update()).one_or_none()
    if row is None:
        raise Unusable(f"there is no item {item}")
    if row.stage in RETURNS:
        raise Unusable(
            f"item {item} is being worked on by {row.owner}: wait until it has ended, or cancel "
            "its campaign first"
        )
    return row


def _locked(db: Connection, sha256: str | None) -> list[int]:
    """The extractions of a content, before its results are read.

    Who inherits one of these comes before and is marked, or waits and finds what is left of it.
    """
    if sha256 is None:
        return []
    mine = select(ExtractionTable.id).where(ExtractionTable.sha256 == sha256)
    return list(db.scalars(retention.locked(mine.order_by(ExtractionTable.id))))


def _results_of(db: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    """Of every item with this content, and of the item itself."""
    same = ResultTable.item_id == row.id
    if row.sha256 is not None:
        same |= ResultTable.sha256 == row.sha256
    if row.fetched_part is not None:  # its results bear no hash; a rescan shares its clips
        sharing = select(ReferenceTable.item_id).join(
            ExtractionTable, ExtractionTable.id == ReferenceTable.extraction_id
        )
        same |= ResultTable.item_id.in_(sharing.where(ExtractionTable.sha256 == row.sha256))
    found = select(
        *retention.RESULT_EVIDENCE, ResultTable.notes, ResultTable.reason, ResultTable.duration_s
    )
    return db.execute(found.where(same).order_by(ResultTable.item_id)).all()


def _doom_content(
    db: Connection, extractions: list[int], kept: set[str] | None = None
) -> tuple[tuple[str, ...], int]:
    """Keys that are to go now, and how many scores went."""
    if not extractions:
        return (), 0
    of_it = (ObjectTable.extraction_id.in_(extractions), ObjectTable.key.not_in(kept or set()))
    clips = select(ObjectTable.sha256).where(*of_it, ObjectTable.kind != "evidence")
    forgotten = scores.forget(db, clips)
    keys = tuple(db.scalars(select(ObjectTable.key).where(*of_it).order_by(ObjectTable.key)))
    retention.doom(db, of_it, WHY)
    empty = {"stands": False} if kept else {"stands": False, "facts": {}, "reason": ""}
    db.execute(update(ExtractionTable).where(ExtractionTable.id.in_(extractions)).values(empty))
    waiting = select(DoomedTable.key).where(
        DoomedTable.extraction_id.in_(extractions), DoomedTable.deleted_at == NEVER
    )
    return tuple(sorted({*keys, *db.scalars(waiting)})), forgotten


def _pictures(result: Row[Any], person: int) -> set[str]:
    return {
        segment[kind]
        for who in result.persons
        if who["person"] == person
        for segment in who["segments"]
        for kind in ("evidence", "heat")
        if segment.get(kind)
    }


def _mark(db: Connection, result: Row[Any], words: str, person: int | None = None) -> int:
    """Without a person: everything that points at somebody goes; the verdict of the item stays.

    How many entries of its history told of somebody, and don't any more.
    """
    at = moment(db.execute(select(now())).scalar_one())
    gone = retention.named(result) if person is None else _pictures(result, person)
    left = retention.without(result, gone)
    if person is None:
        left["persons"] = []
    else:
        left["persons"] = [who for who in left["persons"] if who["person"] != person]
    values = left | {
        "notes": [*result.notes, words],
        "reason": words if "person" in result.reason else result.reason,
        "clips_removed_at": at,
        "erased_at": at,
    }
    if gone:
        values["evidence_removed_at"] = at
    db.execute(update(ResultTable).where(*retention.key_of(result)).values(values))
    return _without_words(db, result.item_id, MoveTable.note.like(_OF_SOMEBODY))


def _words(row: Row[Any], results: Sequence[Row[Any]]) -> Iterator[str]:
    """What there is to blank, by the names that a person knows."""
    if row.uri != GONE:
        yield "address"
    if row.source:
        yield "source"
    if row.extra:
        yield "columns"
    if any(one.item_id == row.id for one in results):
        yield "result"
    if row.log:
        yield "log"


def _without_words(db: Connection, item: int, which: ColumnElement[bool]) -> int:
    mine = update(MoveTable).where(MoveTable.item_id == item, which)
    return int(db.execute(mine.values(note="")).rowcount)


def _blank(db: Connection, row: Row[Any], results: Sequence[Row[Any]]) -> int:
    """Nothing of the item stays but its number, its stages and the digest of its line.

    By that digest the same list does not bring it back; nobody can read an address out of it.
    """
    db.execute(delete(ResultTable).where(ResultTable.item_id == row.id))
    db.execute(delete(ReferenceTable).where(ReferenceTable.item_id == row.id))
    notes = _without_words(db, row.id, MoveTable.note.not_in(("", WHY)))
    blank = _BLANK | {"finished_at": row.finished_at if row.stage in ENDS else now()}
    db.execute(update(ItemTable).where(ItemTable.id == row.id).values(blank))
    if row.stage is not Stage.CANCELLED:
        done = row.stage is Stage.DONE
        seconds = next((one.duration_s for one in results if one.item_id == row.id), None)
        footage_s = -(seconds or 0.0) if done else 0.0
        move = Move.of(row, Stage.CANCELLED, WHY)
        record(db, [replace(move, old_outcome=row.outcome, footage_s=footage_s)])
    return notes
