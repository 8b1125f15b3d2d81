"""A made-up campaign: rows of every kind, and a store that holds their pictures."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.objects import Missing, evidence_key
from schemas.records import Campaign, CampaignOptions, CampaignStatus, ResultRow
from schemas.stages import Stage
from unmask.outcomes import ANSWERS, Outcome
from unmask.spec import ScanSpec

NAME = "newsroom-inbox"
MODEL_DIGEST = "5d41402abc4b2a76b9719d911017c592" * 2
AT = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
THRESHOLDS = (0.35, 0.8)
#: The smallest bytes that begin as a JPEG does.
JPEG = b"\xff\xd8\xff\xe0 made up"


@dataclass
class Pictures:
    """As much of an object store as a report needs."""

    held: dict[str, bytes] = field(default_factory=dict)

    def keep(self, picture: bytes, *, person: int, window: int) -> str:
        digest = hashlib.sha256(picture).hexdigest()
        key = evidence_key(
            "ab" * 32,
            "ef" * 8,
            MODEL_DIGEST,
            person=person,
            window=window,
            picture_sha256=digest,
        )
        self.held[key] = picture
        return key

    def get(self, key: str, *, sha256: str) -> bytes:
        if key not in self.held:
            raise Missing(key)
        assert hashlib.sha256(self.held[key]).hexdigest() == sha256
        return self.held[key]


@dataclass
class Rows:
    """As much of a ledger as a report needs."""

    rows: Iterable[ResultRow]
    campaign: Campaign

    def status(self, name: str) -> CampaignStatus:
        rows = list(self.rows)
        assert name == self.campaign.options.name
        return CampaignStatus(
            campaign=self.campaign,
            stages=Counter(row.stage for row in rows),
            outcomes=Counter(row.outcome for row in rows if row.outcome),
            footage_s=sum(row.duration_s or 0.0 for row in rows),
            cpu_seconds=sum(row.cpu_seconds for row in rows),
            gpu_seconds=sum(row.gpu_seconds for row in rows),
            bytes_fetched=sum(row.bytes_fetched for row in rows),
            first_submitted=AT,
            first_started=AT,
            last_finished=AT + timedelta(minutes=4),
            finished_last_minute=len(rows),
            oldest_waiting_s={},
            failures=(),
        )

    def results(self, name: str) -> Iterator[ResultRow]:
        assert name == self.campaign.options.name
        yield from self.rows


def campaign(**changes: Any) -> Campaign:
    options = CampaignOptions(
        name=NAME, model="resnext50-lstm", model_digest=MODEL_DIGEST, spec=ScanSpec()
    )
    given: dict[str, Any] = {"state": "running", "reason": "", "created_at": AT}
    return Campaign(id=1, options=options, **given | changes)


def row(item: int, outcome: Outcome | None = Outcome.REAL, **changes: Any) -> ResultRow:
    """A row that says nothing remarkable but what is changed."""
    given: dict[str, Any] = {
        "campaign": NAME,
        "item": item,
        "uri": f"https://media.example/inbox/clip-{item:04}.mp4",
        "source": f"list.csv:{item + 1}",
        "extra": {},
        "stage": _stage(outcome),
        "outcome": outcome,
        "reason": "",
        "submitted_at": AT,
        "attempts": 1,
    }
    return ResultRow(**given | changes)


def _stage(outcome: Outcome | None) -> Stage:
    if outcome is None:
        return Stage.WAITING
    if outcome is Outcome.DEAD:
        return Stage.DEAD
    return Stage.DONE if outcome in ANSWERS else Stage.REJECTED


def person(
    number: int, probabilities: Iterable[float | None], keys: Mapping[int, str], *, every_s: float
) -> dict[str, Any]:
    """Somebody with a segment of 0.8 s every so often."""
    probabilities = list(probabilities)
    segments: list[dict[str, Any]] = [
        {
            "start_s": at * every_s,
            "end_s": at * every_s + 0.8,
            "raw": 0.5 if one is None else one,
            "probability": one,
            "telling_s": at * every_s + 0.4,
            "evidence": keys.get(at),
            "heat": None,
            "frame_scores": [],
        }
        for at, one in enumerate(probabilities)
    ]
    worst = max((one for one in probabilities if one is not None), default=None)
    return {
        "person": number,
        "outcome": verdict(worst).value,
        "probability": worst,
        "blurred": False,
        "segments": segments,
    }


def verdict(probability: float | None) -> Outcome:
    if probability is None:
        return Outcome.UNSURE
    real, fake = THRESHOLDS
    if probability >= fake:
        return Outcome.FAKE
    return Outcome.REAL if probability < real else Outcome.UNSURE


def judged(item: int, persons: list[dict[str, Any]], **changes: Any) -> ResultRow:
    """An item with people in it; the worst of them is its verdict."""
    scored = [one["probability"] for one in persons if one["probability"] is not None]
    worst = max(scored) if scored else None
    given: dict[str, Any] = {
        "probability": worst,
        "band": {"fake": "high", "real": "low"}.get(verdict(worst).value, "unsure"),
        "threshold_real": THRESHOLDS[0],
        "threshold_fake": THRESHOLDS[1],
        "persons": persons,
        "evidence": [
            segment["evidence"]
            for one in persons
            for segment in one["segments"]
            if segment["evidence"]
        ],
        "final_uri": f"https://cdn.example/{item}.mp4",
        "sha256": hashlib.sha256(str(item).encode()).hexdigest(),
        "media_kind": "video",
        "duration_s": 42.5,
        "width": 1280,
        "height": 720,
        "faces_seen": 93,
        "frames_analysed": 140,
        "coverage": 0.31,
        "left_out": 0,
        "partial": False,
        "model": "resnext50-lstm",
        "model_digest": MODEL_DIGEST,
        "scan_spec": ScanSpec().digest,
        "started_at": AT + timedelta(seconds=2),
        "finished_at": AT + timedelta(seconds=5, microseconds=250_000),
        "cpu_seconds": 2.125,
        "gpu_seconds": 0.375,
        "bytes_fetched": 8_123_456,
    }
    return row(item, verdict(worst), **given | changes)
