"""Make the Grafana dashboard: `python -m infra.monitoring.dashboard`.

From top to bottom it answers: is it moving, what is stuck, what does it cost, when is it done.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "grafana" / "dashboards" / "unmask.json"
SOURCE = {"type": "prometheus", "uid": "unmask"}
ROW_CELLS = 24
HEIGHT = 8
STAT_HEIGHT = 5
RED_ABOVE_ZERO = [{"color": "green", "value": None}, {"color": "red", "value": 1}]
RED_BELOW_ONE = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
PLAIN = [{"color": "text", "value": None}]

#: Longer queries.
CUT = 'sum(rate(unmask_moves_total{old="extracting",new=~"extracted|done|rejected"}[1m]))'
OPEN = 'sum by (stage) (unmask_items{stage=~"waiting|extracting|extracted|classifying"})'
TIMES = "sum by (le, stage) (rate(unmask_stage_seconds_bucket[5m]))"
HALF = f"histogram_quantile(0.5, {TIMES})"
LOST = "sum by (stage) (rate(unmask_leases_returned_total[5m])) * 60"
CHARGED = "sum by (stage) (rate(unmask_attempts_charged_total[5m])) * 60"
MOST = f"histogram_quantile(0.95, {TIMES})"


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    #: What a person sees in it.
    says: str
    #: Query → how a line is named.
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    steps: tuple[Any, ...] = tuple(PLAIN)
    stacked: bool = False
    #: Shown where there is nothing to show.
    nothing: str = ""


ROWS: dict[str, list[Panel]] = {
    "Is it moving?": [
        Panel(
            title="Answered per second",
            says="Items that reached an end, by the last minute.",
            queries={
                'sum(rate(unmask_moves_total{new=~"done|rejected|dead"}[1m]))': "items/s",
            },
            unit="ops",
            kind="stat",
            width=4,
        ),
        Panel(
            title="Footage per hour",
            says="Hours of video answered per hour of clock.",
            queries={"rate(unmask_footage_seconds_total[5m])": "h/h"},
            kind="stat",
            width=4,
        ),
        Panel(
            title="Services",
            says="The exporter, ledger, Redis and a sweep that leads: 1 is well.",
            queries={
                'up{job="unmask"}': "exporter",
                "unmask_up": "{{service}}",
                "unmask_sweep_leads": "sweep",
            },
            kind="stat",
            width=8,
            steps=tuple(RED_BELOW_ONE),
        ),
        Panel(
            title="Paused campaigns",
            says="Held by a person or the brake.",
            queries={"sum(unmask_campaign_paused) or vector(0)": "paused"},
            kind="stat",
            width=4,
            steps=tuple(RED_ABOVE_ZERO),
        ),
        Panel(
            title="Died in an hour",
            says="Items that ended by faults of ours.",
            queries={'sum(increase(unmask_moves_total{new="dead"}[1h])) or vector(0)': "dead"},
            kind="stat",
            width=4,
            steps=tuple(RED_ABOVE_ZERO),
        ),
        Panel(
            title="Pace of the stages",
            says="The slower of the two lines is the stage to add workers to.",
            queries={
                CUT: "fetched, faces cut",
                'sum(rate(unmask_moves_total{old="classifying",new="done"}[1m]))': "judged",
            },
            unit="ops",
            width=12,
        ),
        Panel(
            title="Outcomes per minute",
            says="What items end as. A jump in one rejection is a source that changed.",
            queries={"sum by (outcome) (rate(unmask_outcomes_total[5m]) * 60 > 0)": "{{outcome}}"},
            width=12,
            stacked=True,
        ),
    ],
    "What is stuck?": [
        Panel(
            title="Alerts",
            says="Those that fire now; the operating guide says what to do for each.",
            queries={
                'sum by (alertname, severity) (ALERTS{alertstate="firing"})': (
                    "{{alertname}} ({{severity}})"
                )
            },
            kind="stat",
            width=ROW_CELLS,
            steps=tuple(RED_ABOVE_ZERO),
            nothing="none",
        ),
        Panel(
            title="Open items by stage",
            says="A stage that grows is followed by one that is too slow.",
            queries={OPEN: "{{stage}}"},
        ),
        Panel(
            title="Oldest waiting item",
            says="Of what could run now, by priority.",
            queries={"unmask_oldest_waiting_seconds": "{{priority}}"},
            unit="s",
        ),
        Panel(
            title="Taken back and tried again",
            says="Leases of silent workers, and attempts charged to us, per minute.",
            queries={
                LOST: "{{stage}} lost",
                CHARGED: "{{stage}} charged",
            },
        ),
        Panel(
            title="Time at a stage",
            says="Half of all items, and 95 of 100, are through in this time.",
            queries={
                HALF: "{{stage}} p50",
                MOST: "{{stage}} p95",
            },
            unit="s",
        ),
        Panel(
            title="Window and queues",
            says="Offers nobody took, and messages on Redis; both stay near the window's size.",
            queries={
                "unmask_offered_items": "{{stage}} on offer",
                "unmask_queue_messages": "queue {{queue}}",
                "unmask_window_items": "window",
            },
        ),
        Panel(
            title="Redis memory",
            says="Does not grow with the backlog.",
            queries={
                "unmask_redis_memory_bytes": "used",
                "unmask_redis_memory_limit_bytes > 0": "limit",
            },
            unit="bytes",
        ),
        Panel(
            title="Resting places",
            says="Our object store (full or away) and hosts that failed, left alone for a while.",
            queries={"unmask_resting": "{{place}}"},
        ),
        Panel(
            title="Overdue deletions",
            says="Clips and pictures past their term that are still stored; none is right.",
            queries={"unmask_overdue_deletions": "objects"},
        ),
        Panel(
            title="Refused messages",
            says="Not written by any worker of ours; none is right.",
            queries={"sum by (kind) (unmask_refused_messages_total)": "{{kind}}"},
        ),
    ],
    "What does it cost?": [
        Panel(
            title="CPU seconds per hour of footage",
            says="So far, by campaign.",
            queries={"unmask_cpu_seconds_per_footage_hour": "{{campaign}}"},
            unit="s",
        ),
        Panel(
            title="GPU seconds per hour of footage",
            says="So far, by campaign.",
            queries={"unmask_gpu_seconds_per_footage_hour": "{{campaign}}"},
            unit="s",
        ),
        Panel(
            title="Fetched",
            says="Load on the link and on other people's hosts.",
            queries={"rate(unmask_fetched_bytes_total[5m])": "bytes/s"},
            unit="Bps",
        ),
        Panel(
            title="GPU batch fill",
            says="Items per batch; far below UNMASK_GPU_ITEMS the GPU starves.",
            queries={
                "rate(unmask_gpu_batch_items_total[5m]) / rate(unmask_gpu_batches_total[5m])": (
                    "{{worker}}"
                )
            },
            width=12,
        ),
        Panel(
            title="GPU busy",
            says="Share of the time that the model thread scores.",
            queries={"rate(unmask_gpu_busy_seconds_total[5m])": "{{worker}}"},
            unit="percentunit",
            width=12,
        ),
    ],
    "When is it done?": [
        Panel(
            title="Time left",
            says="At the pace of the last minute, by campaign.",
            queries={"unmask_campaign_left_seconds": "{{campaign}}"},
            unit="s",
            kind="bargauge",
            width=12,
        ),
        Panel(
            title="Ended",
            says="Share of a campaign's items that have ended.",
            queries={
                'sum by (campaign) (unmask_items{stage=~"done|rejected|dead|cancelled"})'
                " / sum by (campaign) (unmask_items)": "{{campaign}}"
            },
            unit="percentunit",
            kind="bargauge",
            width=12,
        ),
    ],
}


def dashboard() -> dict[str, Any]:
    return {
        "uid": "unmask",
        "title": "Unmask",
        "tags": ["unmask"],
        "timezone": "browser",
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "schemaVersion": 41,
        "editable": True,
        "panels": [panel | {"id": number} for number, panel in enumerate(_panels(), 1)],
    }


def _panels() -> Iterator[dict[str, Any]]:
    y = 0
    for title, panels in ROWS.items():
        yield {"type": "row", "title": title, "gridPos": _place(0, y, ROW_CELLS, 1), "panels": []}
        y += 1
        x = tallest = 0
        for panel in panels:
            height = STAT_HEIGHT if panel.kind == "stat" else HEIGHT
            if x + panel.width > ROW_CELLS:
                x, y, tallest = 0, y + tallest, 0
            yield _panel(panel, _place(x, y, panel.width, height))
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    custom: dict[str, Any] = {"fillOpacity": 10, "lineWidth": 2, "showPoints": "never"}
    # A figure of now is asked for now: the last one of the range may be of what is gone since.
    is_now = panel.kind != "timeseries"
    if panel.stacked:
        custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                **({"noValue": panel.nothing} if panel.nothing else {}),
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": list(panel.steps)},
                "custom": custom if panel.kind == "timeseries" else {},
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + n),
                "expr": query,
                "legendFormat": name,
                "datasource": SOURCE,
                "instant": is_now,
                "range": not is_now,
            }
            for n, (query, name) in enumerate(panel.queries.items())
        ],
    }


def written() -> str:
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
    print(FILE)
