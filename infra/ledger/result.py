"""The result row: written once when an item ends, replaced when the same item ends again."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.dialects.postgresql import Insert

from infra.ledger.clock import moment, moment_or_none
from infra.ledger.moves import clean, insert_into
from infra.redact import redact, redact_values
from schemas.records import Campaign, MediaFacts
from schemas.stages import Stage
from schemas.tables import ResultTable
from unmask.judgement import band
from unmask.outcomes import Outcome
from unmask.verdict import Verdict

KEY = ("item_id", "scan_spec", "model_digest")
COLUMNS = tuple(column.name for column in ResultTable.__table__.columns)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Why an item ended, and what is known of it by then."""

    outcome: Outcome
    reason: str = ""
    media: MediaFacts | None = None
    verdict: Verdict | None = None
    evidence: tuple[str, ...] = ()


def write(db: Connection, ended: Sequence[tuple[Any, Campaign, Ending]]) -> None:
    """Of each the item with all its columns, as it ends."""
    write_values(
        db,
        [_head(item, of) | _media(ending.media) | _verdict(ending) for item, of, ending in ended],
    )


def write_inherited(db: Connection, item: Row[Any], campaign: Campaign, of: Row[Any]) -> None:
    """All that extraction and model said is that of the item it inherits from."""
    said = _media(None) | _verdict(Ending(outcome=of.outcome))
    write_values(db, [_head(item, campaign) | {name: getattr(of, name) for name in said}])


def write_values(db: Connection, lines: Sequence[dict[str, Any]]) -> None:
    db.execute(_upsert(db.dialect.name), lines)


@cache
def _upsert(dialect: str) -> Insert:
    statement = insert_into(dialect, ResultTable)
    changed = {name: statement.excluded[name] for name in COLUMNS if name not in KEY}
    return statement.on_conflict_do_update(index_elements=KEY, set_=changed)


def _head(item: Any, campaign: Campaign) -> dict[str, Any]:
    """What the item itself says."""
    options = campaign.options
    return {
        "item_id": item.id,
        "scan_spec": options.spec.digest,
        "model_digest": options.model_digest,
        "campaign_id": item.campaign_id,
        "uri": redact(item.uri),
        "source": item.source,
        "extra": redact_values(item.extra),
        "final_uri": item.final_uri and redact(item.final_uri),
        # No hash of the content is known where only a part of it came.
        "sha256": None if item.fetched_part else item.sha256,
        "fetched_part": item.fetched_part,
        "model": options.model,
        "inherited_from": item.inherited_from,
        "attempts": item.charged + item.fetch_tries + (item.stage is not Stage.DEAD),
        "submitted_at": moment(item.submitted_at),
        "started_at": moment_or_none(item.started_at),
        "finished_at": moment(item.finished_at),
        "cpu_seconds": item.cpu_seconds,
        "gpu_seconds": item.gpu_seconds,
        "bytes_fetched": item.bytes_fetched,
    }


def _media(media: MediaFacts | None) -> dict[str, Any]:
    """Nothing is known where nothing was opened: no zero stands for `not counted`."""
    if media is None:
        unknown = dict.fromkeys(field.name for field in dataclasses.fields(MediaFacts))
        facts: dict[str, Any] = {**unknown, "notes": []}
    else:
        facts = dataclasses.asdict(media)
    kind, notes = facts.pop("kind"), [clean(note) for note in facts["notes"]]
    return facts | {"media_kind": kind, "notes": notes}


def _verdict(ending: Ending) -> dict[str, Any]:
    verdict = ending.verdict
    real, fake = (verdict and verdict.thresholds) or (None, None)
    probability = verdict.probability if verdict else None
    return {
        "outcome": ending.outcome,
        "reason": clean(ending.reason),
        "probability": probability,
        "band": band(probability, real, fake),
        "threshold_real": real,
        "threshold_fake": fake,
        "persons": [dataclasses.asdict(person) for person in verdict.persons] if verdict else [],
        "evidence": list(ending.evidence),
    }
