"""A campaign in words and in JSON, from one look at the ledger."""

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from producer.plain import shorten
from schemas.pace import ended, left_s, rate_per_s, total
from schemas.records import CampaignStatus, Failure, Priority, Resting
from schemas.stages import Stage
from unmask.outcomes import Outcome
from unmask.wording import printable

STYLES: Mapping[Outcome, str] = {
    Outcome.FAKE: "bold red",
    Outcome.UNSURE: "yellow",
    Outcome.REAL: "green",
    Outcome.DEAD: "bold magenta",
}
NAME_CELLS = 38
#: Of a dead item's log, beside others and where nothing but the dead is asked for.
LOG_LINES = 3
DEAD_LOG_LINES = 12
LOG_CELLS = 96
HOUR_S = 3600.0
#: From less than this nothing follows for an hour.
LITTLE_FOOTAGE_S = 5.0


def cost(status: CampaignStatus) -> str:
    """What an hour of footage cost; pictures have no length and count for nothing here."""
    spent = f"{status.cpu_seconds:,.1f} CPU s and {status.gpu_seconds:,.1f} GPU s"
    if status.footage_s < LITTLE_FOOTAGE_S:
        return f"{spent} spent; too little footage to tell what an hour costs"
    hours = status.footage_s / HOUR_S
    return (
        f"an hour of footage cost {status.cpu_seconds / hours:,.0f} CPU s "
        f"and {status.gpu_seconds / hours:,.0f} GPU s "
        f"({span(status.footage_s)} of footage, {spent})"
    )


def rate_word(per_s: float) -> str:
    """Slow work has a pace too: no `0.0` stands beside the time that is left.

    >>> rate_word(12.34), rate_word(0.0417), rate_word(0.0)
    ('12.3', '0.042', '0')
    """
    return f"{per_s:.1f}" if per_s >= 1 else f"{per_s:.2g}"


def pace(status: CampaignStatus) -> str:
    """`2.3/s, 4 min 10 s left`, while there is something left to do and somebody does it."""
    left = left_s(status)
    if state_word(status) != "running" or not left:
        return ""
    return f"{rate_word(rate_per_s(status))}/s, {span(left)} left"


def span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def status_json(status: CampaignStatus) -> str:
    """One line; every count is there, zero or not, so that a script needs no guess."""
    options = status.campaign.options
    return json.dumps(
        {
            "campaign": options.name,
            "state": state_word(status),
            "reason": status.campaign.reason,
            "model": options.model,
            "model_digest": options.model_digest,
            "scan_spec": options.spec.digest,
            "priority": options.priority.name.lower(),
            "extract_only": options.extract_only,
            "frames": options.spec.frames,
            "moments": options.spec.moments,
            "stride": options.spec.stride,
            "coding": options.spec.coding,
            "items": total(status),
            "ended": ended(status),
            "stages": {stage.value: status.stages.get(stage, 0) for stage in Stage},
            "outcomes": {one.value: status.outcomes.get(one, 0) for one in Outcome},
            "items_per_s": rate_per_s(status),
            "left_s": left_s(status),
            "footage_s": status.footage_s,
            "cpu_seconds": status.cpu_seconds,
            "gpu_seconds": status.gpu_seconds,
            "bytes_fetched": status.bytes_fetched,
            "oldest_waiting_s": {
                one.name.lower(): status.oldest_waiting_s.get(one) for one in Priority
            },
            "first_submitted": _moment(status.first_submitted),
            "first_started": _moment(status.first_started),
            "last_finished": _moment(status.last_finished),
            "failures": [_failure(one) for one in status.failures],
        }
    )


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _failure(one: Failure) -> dict[str, Any]:
    return {
        "item": one.item,
        "uri": one.uri,
        "at": _moment(one.at),
        "outcome": one.outcome.value if one.outcome else None,
        "reason": one.reason,
        "log": one.log,
    }


def state_word(status: CampaignStatus) -> str:
    """As a person would say it: a campaign with nothing left to do is finished."""
    if status.campaign.state != "running":
        return status.campaign.state
    if not total(status):
        return "empty"
    return "finished" if ended(status) == total(status) else "running"


def status_text(status: CampaignStatus) -> str:
    options = status.campaign.options
    state = state_word(status)
    if status.campaign.reason:
        state += f": {printable(status.campaign.reason)}"
    lines = [
        f"{options.name}  ({state})",
        ", ".join(
            filter(None, (f"  {ended(status):,} of {total(status):,} items ended", pace(status)))
        ),
        "  stages    " + counts({one.value: count for one, count in status.stages.items()}),
        "  outcomes  " + counts({one.value: count for one, count in status.outcomes.items()}),
        f"  cost      {cost(status)}",
        f"  model     {options.model} ({options.model_digest[:12]}), scan spec {options.spec.name}",
    ]
    lines += [f"  waiting   {_waits(status)}"] if status.oldest_waiting_s else []
    for one in status.failures:
        lines += [f"  failed    {failure_line(one)}", *_log_lines(one.log)]
    lines += [f"  dead      {more}"] if (more := _more_dead(status)) else []
    return "\n".join(lines)


def _more_dead(status: CampaignStatus) -> str:
    shown = sum(one.outcome is Outcome.DEAD for one in status.failures)
    left = status.outcomes.get(Outcome.DEAD, 0) - shown
    if left <= 0:
        return ""
    name = shlex.quote(status.campaign.options.name)
    return f"{left:,} more; `python -m producer status --campaign {name} --dead` lists all"


def dead_text(campaign: str, one: Failure) -> str:
    """A dead item by itself: number, address, reason and the end of its log."""
    head = f"{printable(campaign)}  item {one.item}  {one.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    told = [f"  {printable(one.uri)}", f"  {printable(one.reason)}"]
    return "\n".join([head, *told, *_log_lines(one.log, DEAD_LOG_LINES)])


def dead_json(campaign: str, one: Failure) -> str:
    return json.dumps({"campaign": campaign, **_failure(one)})


def resting_line(place: Resting) -> str:
    why = f"{place.trouble} failures in a row, the last: {printable(place.reason)}"
    if not place.for_s:
        return f"{printable(place.name)} is tried by one item at a time ({why})"
    return f"{printable(place.name)} rests for {span(place.for_s)} more ({why})"


def _log_lines(log: str, most: int = LOG_LINES) -> list[str]:
    """The end of a dead item's log: there the error stands."""
    last = [line for line in log.splitlines() if line.strip()][-most:]
    return [f"            | {shorten(printable(line.strip()), LOG_CELLS)}" for line in last]


def failure_line(one: Failure) -> str:
    what = one.outcome.value if one.outcome else "to be tried again"
    return f"{shorten(printable(one.uri), NAME_CELLS)}  {what}: {printable(one.reason)}"


def _waits(status: CampaignStatus) -> str:
    return ", ".join(
        f"oldest {priority.name.lower()} item {span(seconds)}"
        for priority, seconds in sorted(status.oldest_waiting_s.items())
    )


def counts(by_name: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in by_name.items() if count) or "none"
