"""How far a campaign is and how fast, from one look at it."""

from datetime import UTC, datetime

from schemas.records import CampaignStatus
from schemas.stages import ENDS

MINUTE_S = 60.0


def total(status: CampaignStatus) -> int:
    return sum(status.stages.values())


def ended(status: CampaignStatus) -> int:
    return sum(count for stage, count in status.stages.items() if stage in ENDS)


def rate_per_s(status: CampaignStatus, now: datetime | None = None) -> float:
    """Over the last minute, or over the time there has been if that is less."""
    if status.first_started is None:
        return 0.0
    lasted = ((now or datetime.now(UTC)) - status.first_started).total_seconds()
    return status.finished_last_minute / min(MINUTE_S, max(1.0, lasted))


def left_s(status: CampaignStatus) -> float | None:
    """Seconds until the last item ends at the pace of the last minute; None without a pace."""
    rate = rate_per_s(status)
    return (total(status) - ended(status)) / rate if rate else None
