"""What a content yielded is kept once, with its objects and with the items that need them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import Insert

from infra.ledger import retention, rows
from infra.ledger.clock import now
from infra.ledger.moves import clean, insert_into
from schemas.records import Claim, Extracted, Extraction, Known, StoredObject
from schemas.tables import FOREVER, ExtractionTable, ObjectTable, ReferenceTable, ResultTable, Table
from unmask.outcomes import Outcome

#: Answers that any model would give, because none was asked.
WITHOUT_MODEL = (Outcome.NO_FACE, Outcome.TOO_SMALL, Outcome.TOO_SHORT)
JUDGED = (Outcome.FAKE, Outcome.REAL, Outcome.UNSURE)

_WITHOUT_TERM = {"until": FOREVER, "evidence_until": FOREVER}

_FIND = select(*rows.EXTRACTION).where(
    rows.EXTRACTION.sha256 == bindparam("content"),
    rows.EXTRACTION.spec_digest == bindparam("spec"),
)
_FIND_LOCKED = retention.locked(_FIND)


def known(db: Connection, sha256: str, spec_digest: str, model_digest: str) -> Known:
    found = find(db, sha256, spec_digest)
    item = _judged(db, sha256, spec_digest, model_digest)
    if found is None or not found.stands:
        return Known(result_item=item)
    return Known(
        extraction=rows.extractions(db, [found.id])[found.id],
        media=rows.media(found.facts),
        outcome=found.outcome,
        reason=found.reason,
        result_item=item,
    )


def _judged(db: Connection, sha256: str, spec_digest: str, model_digest: str) -> int | None:
    """The item that was judged itself, rather than one that inherited."""
    return db.scalar(
        select(ResultTable.item_id)
        .where(ResultTable.sha256 == sha256, ResultTable.scan_spec == spec_digest)
        .where(
            or_(
                ResultTable.outcome.in_(WITHOUT_MODEL),
                ResultTable.outcome.in_(JUDGED) & (ResultTable.model_digest == model_digest),
            )
        )
        .order_by(ResultTable.inherited_from.is_not(None), ResultTable.item_id)
        .limit(1)
    )


def keep(db: Connection, claimed: Row[Any], done: Extracted) -> Row[Any]:
    """The extraction's row. The first to arrive stands: a second one's objects are not used."""
    item, extraction = claimed.id, done.extraction
    retention.will_name(db)
    _insert(db, item, done)
    found = find(db, extraction.sha256, extraction.spec_digest, lock=True)
    assert found is not None
    if found.item_id == item or not found.stands:
        keys = [one.key for one in (extraction.manifest, *extraction.clips)]
        retention.stored_again(db, keys, claimed.claimed_at)
        _renew(db, found.id, item, done)
        found = find(db, extraction.sha256, extraction.spec_digest)
        assert found is not None
    refer(db, found.id, item)
    return found


def _insert(db: Connection, item: int, done: Extracted) -> None:
    extraction = done.extraction
    line = {"sha256": extraction.sha256, "spec_digest": extraction.spec_digest, "item_id": item}
    db.execute(_if_new(db.dialect.name, ExtractionTable), line | {"stands": False, "facts": {}})


@cache
def _if_new(dialect: str, table: type[Table]) -> Insert:
    """Whatever stands there already under the same key is the same thing."""
    statement = insert_into(dialect, table)
    if table is ExtractionTable:
        statement = statement.values(created_at=now())
    return statement.on_conflict_do_nothing()


def find(db: Connection, sha256: str, spec_digest: str, *, lock: bool = False) -> Row[Any] | None:
    query = _FIND_LOCKED if lock else _FIND
    return db.execute(query, {"content": sha256, "spec": spec_digest}).one_or_none()


def _renew(db: Connection, extraction: int, item: int, done: Extracted) -> None:
    db.execute(
        update(ExtractionTable)
        .where(ExtractionTable.id == extraction)
        .values(
            item_id=item,
            stands=True,
            created_at=now(),
            facts=rows.media_json(done.media),
            outcome=None if done.outcome is Outcome.EXTRACTED else done.outcome,
            reason=clean(done.reason),
        )
    )
    clips = ObjectTable.extraction_id == extraction, ObjectTable.kind != "evidence"
    db.execute(delete(ObjectTable).where(*clips))
    _add_objects(db, extraction, done.extraction)


def _add_objects(db: Connection, extraction: int, made: Extraction) -> None:
    add_objects(db, extraction, "manifest", (made.manifest,))
    add_objects(db, extraction, "clip", made.clips, first=1)


def add_objects(
    db: Connection, extraction: int, kind: str, objects: tuple[StoredObject, ...], *, first: int = 0
) -> None:
    """A key names its content, so a second object under the same key is the same object."""
    if not objects:
        return
    lines = [
        {
            "key": one.key,
            "extraction_id": extraction,
            "kind": kind,
            "position": position,
            "sha256": one.sha256,
            "size": one.size,
        }
        for position, one in enumerate(objects, first)
    ]
    db.execute(_if_new(db.dialect.name, ObjectTable), lines)


def refer(db: Connection, extraction: int, item: int) -> None:
    """The item needs these objects: their term is the longest of those who do.

    It has none of its own until the item ends, also where it ended before and is under way again.
    """
    line = {"extraction_id": extraction, "item_id": item, **_WITHOUT_TERM}
    db.execute(_refer(db.dialect.name), line)


@cache
def _refer(dialect: str) -> Insert:
    key = ["extraction_id", "item_id"]
    statement = insert_into(dialect, ReferenceTable)
    return statement.on_conflict_do_update(index_elements=key, set_=_WITHOUT_TERM)


def judged_elsewhere(db: Connection, claims: Sequence[Claim]) -> dict[int, int]:
    """Items whose content the same model has judged by now, and where."""
    found = {}
    for claim in claims:
        if claim.extraction is not None:
            options, made = claim.campaign.options, claim.extraction
            item = _judged(db, made.sha256, made.spec_digest, options.model_digest)
            if item not in (None, claim.item):
                found[claim.item] = int(item)
    return found


def forget(db: Connection, claimed: Row[Any], seen: Extraction | None) -> None:
    """The clips that this claim found can't be used: the next item of the content is cut anew.

    They are deleted, unless another item has stored and named them anew since.
    """
    retention.lock(db, [claimed.extraction_id])
    mine = ExtractionTable.id == claimed.extraction_id
    made_at = db.execute(select(ExtractionTable.created_at).where(mine)).scalar_one()
    if seen is not None and made_at <= claimed.claimed_at:
        retention.doom_clips(db, claimed.extraction_id, retention.DAMAGED)
