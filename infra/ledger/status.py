"""How a campaign stands, read from running counts: the same cost at any size."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from infra.ledger import campaigns, failures
from infra.ledger.clock import moment, moment_or_none, now
from infra.ledger.moves import sums
from schemas.records import Campaign, CampaignStatus, Priority
from schemas.stages import Stage
from schemas.tables import (
    BY_OFFERED,
    BY_OPEN,
    IS_OFFERED,
    IS_OPEN,
    NEVER,
    CampaignTable,
    ItemTable,
    ResultTable,
    TallyTable,
)
from unmask.outcomes import Outcome

LATELY = timedelta(minutes=1)


def status(db: Connection, name: str) -> CampaignStatus:
    campaign = campaigns.campaign(db, name)
    counts = db.execute(_counts(campaign.id)).all()
    moment_now = moment(db.execute(select(now())).scalar_one())
    return CampaignStatus(
        campaign=campaign,
        stages=_by_stage(counts),
        outcomes=_by_outcome(counts),
        footage_s=sum(row.footage_s for row in counts),
        cpu_seconds=sum(row.cpu_seconds for row in counts),
        gpu_seconds=sum(row.gpu_seconds for row in counts),
        bytes_fetched=sum(int(row.bytes_fetched) for row in counts),
        first_submitted=_first_submitted(db, campaign.id),
        first_started=_first_started(db, campaign.id),
        last_finished=_last_finished(db, campaign.id),
        finished_last_minute=_finished_since(db, campaign.id, moment_now - LATELY),
        oldest_waiting_s=_oldest_waiting(db, campaign),
        failures=failures.lately(db, campaign.id),
    )


def _counts(campaign: int) -> Any:
    return (
        select(TallyTable.stage, TallyTable.outcome, *sums())
        .where(TallyTable.campaign_id == campaign)
        .group_by(TallyTable.stage, TallyTable.outcome)
    )


def _by_stage(counts: Sequence[Row[Any]]) -> Mapping[Stage, int]:
    stages: Counter[Stage] = Counter()
    for row in counts:
        stages[row.stage] += int(row.items)
    return {stage: count for stage, count in stages.items() if count}


def _by_outcome(counts: Sequence[Row[Any]]) -> Mapping[Outcome, int]:
    outcomes: Counter[Outcome] = Counter()
    for row in counts:
        if row.outcome:
            outcomes[Outcome(row.outcome)] += int(row.items)
    return {outcome: count for outcome, count in outcomes.items() if count}


def _first_submitted(db: Connection, campaign: int) -> datetime | None:
    first = select(ItemTable.submitted_at).where(ItemTable.campaign_id == campaign)
    return moment_or_none(db.scalar(first.order_by(ItemTable.id).limit(1)) or 0.0)


def _first_started(db: Connection, campaign: int) -> datetime | None:
    started = select(CampaignTable.first_started_at).where(CampaignTable.id == campaign)
    return moment_or_none(db.execute(started).scalar_one())


def _last_finished(db: Connection, campaign: int) -> datetime | None:
    finished = select(ResultTable.finished_at).where(ResultTable.campaign_id == campaign)
    return db.scalar(finished.order_by(ResultTable.finished_at.desc()).limit(1))


def _finished_since(db: Connection, campaign: int, since: datetime) -> int:
    lately = select(func.count()).where(
        ResultTable.campaign_id == campaign, ResultTable.finished_at >= since
    )
    return db.execute(lately).scalar_one()


def _oldest_waiting(db: Connection, campaign: Campaign) -> Mapping[Priority, float]:
    """Of what could run now: on offer, or next in line. Scheduled retries don't count."""
    waiting = select(now() - ItemTable.submitted_at).where(
        ItemTable.campaign_id == campaign.id, ItemTable.stage == Stage.WAITING
    )
    # Not `== 0`: then the order is that of the numbers alone, and PostgreSQL might look for the
    # first that waits from the first item of all.
    in_line = waiting.where(text(IS_OPEN), ItemTable.not_before <= NEVER)
    in_line = in_line.with_hint(ItemTable, *BY_OPEN)
    offered = waiting.where(text(IS_OFFERED)).order_by(ItemTable.submitted_at)
    offered = offered.with_hint(ItemTable, *BY_OFFERED)
    ages = [
        db.scalar(in_line.order_by(ItemTable.not_before, ItemTable.id).limit(1)),
        db.scalar(offered.limit(1)),
    ]
    known = [age for age in ages if age is not None]
    return {campaign.options.priority: max(0.0, *known)} if known else {}
