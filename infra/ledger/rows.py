"""Between rows and the values of `schemas.records`."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from infra.ledger.clock import moment
from infra.ledger.moves import clean
from schemas.records import (
    Campaign,
    CampaignOptions,
    Extraction,
    MediaFacts,
    Priority,
    StoredObject,
)
from schemas.tables import CampaignTable, ExtractionTable, ItemTable, ObjectTable
from unmask.spec import ScanSpec

_SPECS: dict[str, ScanSpec] = {}

CAMPAIGN = CampaignTable.__table__.c
EXTRACTION = ExtractionTable.__table__.c
ITEM = ItemTable.__table__.c

BY_ID = select(*CAMPAIGN).where(CAMPAIGN.id.in_(bindparam("ids", expanding=True)))
_HEADS = select(*EXTRACTION).where(EXTRACTION.id.in_(bindparam("ids", expanding=True)))
_OBJECTS = (
    select(ObjectTable.__table__)
    .where(ObjectTable.extraction_id.in_(bindparam("ids", expanding=True)))
    .where(ObjectTable.kind != "evidence")
    .order_by(ObjectTable.extraction_id, ObjectTable.position)
)


def campaign(row: Row[Any]) -> Campaign:
    options = CampaignOptions(
        name=row.name,
        model=row.model,
        model_digest=row.model_digest,
        spec=_spec(row.spec_digest, row.spec),
        priority=Priority(row.priority),
        extract_only=row.extract_only,
        keep_clips_s=row.keep_clips_s,
        keep_evidence_s=row.keep_evidence_s,
    )
    return Campaign(
        id=row.id,
        options=options,
        state=row.state,
        reason=row.reason,
        created_at=moment(row.created_at),
    )


def _spec(digest: str, fields: Mapping[str, Any]) -> ScanSpec:
    """A worker meets the same few specs with every claim: each is read and checked once."""
    found = _SPECS.get(digest)
    if found is None or found.name != fields["name"]:
        found = _SPECS[digest] = ScanSpec.from_json(dict(fields))
    return found


def campaigns(db: Connection, ids: Iterable[int]) -> dict[int, Campaign]:
    found = db.execute(BY_ID, {"ids": list(set(ids))})
    return {row.id: campaign(row) for row in found}


def extractions(db: Connection, ids: Iterable[int]) -> dict[int, Extraction]:
    """With their objects, which are read in one go.

    What is doomed between the two looks has none by the second, and stands no more.
    """
    wanted = {"ids": list(set(ids))}
    if not wanted["ids"]:
        return {}
    heads, objects = db.execute(_HEADS, wanted).all(), db.execute(_OBJECTS, wanted).all()
    stored: dict[int, list[Row[Any]]] = defaultdict(list)
    for one in objects:
        stored[one.extraction_id].append(one)
    return {
        head.id: _extraction(head, stored[head.id])
        for head in heads
        if head.stands and head.id in stored
    }


def _extraction(head: Row[Any], objects: Sequence[Row[Any]]) -> Extraction:
    stored = [StoredObject(key=row.key, sha256=row.sha256, size=row.size) for row in objects]
    return Extraction(
        sha256=head.sha256,
        spec_digest=head.spec_digest,
        manifest=stored[0],
        clips=tuple(stored[1:]),
    )


def media_json(media: MediaFacts) -> dict[str, Any]:
    return dataclasses.asdict(media) | {"notes": [clean(note) for note in media.notes]}


def media(facts: Mapping[str, Any]) -> MediaFacts:
    return MediaFacts(**{**facts, "notes": tuple(facts.get("notes", ()))})
