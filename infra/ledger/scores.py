"""What a model said of a clip is kept: the same clip costs no second look."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import Insert

from infra.ledger.clock import now
from infra.ledger.moves import insert_into
from schemas.tables import ScoreTable
from unmask.verdict import WindowScore

#: Digits of a single frame's score: it is drawn, not computed with.
DIGITS = 3


def keep(db: Connection, model: str, scored: Mapping[str, Sequence[WindowScore]]) -> None:
    """Windows by the hash of their clip; what is there already says the same."""
    lines = [
        {"clip_sha256": clip, "model_digest": model, "windows": [_plain(one) for one in windows]}
        for clip, windows in sorted(scored.items())
    ]
    if lines:
        db.execute(_if_new(db.dialect.name), lines)


@cache
def _if_new(dialect: str) -> Insert:
    return insert_into(dialect, ScoreTable).values(created_at=now()).on_conflict_do_nothing()


def _plain(one: WindowScore) -> dict[str, Any]:
    plain = dataclasses.asdict(one)
    del plain["person"]
    return plain | {"frame_scores": [round(score, DIGITS) for score in one.frame_scores]}


def known(db: Connection, model: str, clips: Sequence[str]) -> dict[str, tuple[WindowScore, ...]]:
    found = db.execute(
        select(ScoreTable.clip_sha256, ScoreTable.windows).where(
            ScoreTable.model_digest == model, ScoreTable.clip_sha256.in_(clips)
        )
    )
    return {row.clip_sha256: tuple(map(_score, row.windows)) for row in found}


def _score(plain: dict[str, Any]) -> WindowScore:
    return WindowScore(person=0, **plain | {"frame_scores": tuple(plain["frame_scores"])})


def forget(db: Connection, clips: Any) -> int:
    """`clips` selects hashes; how many scores there were."""
    forgotten = db.execute(delete(ScoreTable).where(ScoreTable.clip_sha256.in_(clips)))
    return int(forgotten.rowcount)
