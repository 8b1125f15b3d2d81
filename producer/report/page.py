"""report.html: one page that needs nothing from outside and lets nothing in."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from producer.ranking import ORDER, Foremost
from producer.report.cards import Card, card
from producer.report.judge import judge
from producer.report.pictures import Gallery
from producer.report.words import OPEN, WORDS, Word, word
from producer.status import HOUR_S, cost, span
from schemas.records import CampaignStatus, ResultRow
from unmask.model.bundle import Bundle
from unmask.outcomes import Outcome
from unmask.verdict import UNTRAINED
from unmask.wording import printable

TEMPLATES = Path(__file__).with_name("templates")
#: So many rows are in the page; the other files hold all.
MOST = 2500


@contextmanager
def page(
    path: Path,
    status: CampaignStatus,
    gallery: Gallery,
    written_at: datetime,
    bundle: Bundle | None = None,
) -> Iterator[Callable[[ResultRow], None]]:
    seen = Seen(foremost=Foremost(MOST), outcomes=Counter())
    yield seen.add
    head = _head(status, seen, written_at)
    head |= {"judge": judge(status.campaign.options, bundle, seen.lines)}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for part in _template().generate(
            head | {"cards": _cards(seen, gallery), "gallery": gallery}
        ):
            file.write(part)


@dataclass
class Seen:
    """What the page says of all rows, and the rows it shows."""

    foremost: Foremost
    outcomes: Counter[Outcome | None]
    untrained: bool = False
    #: The thresholds that were used; a campaign has one model, so they are the same everywhere.
    lines: tuple[float, float] | None = None

    def add(self, row: ResultRow) -> None:
        self.foremost.add(row)
        self.outcomes[row.outcome] += 1
        self.untrained |= row.reason == UNTRAINED
        if row.threshold_real is not None and row.threshold_fake is not None:
            self.lines = (row.threshold_real, row.threshold_fake)


@dataclass(frozen=True, kw_only=True)
class Share:
    """One outcome in the bar on top of the page."""

    key: str
    word: Word
    count: int
    x: float
    width: float


def _cards(seen: Seen, gallery: Gallery) -> Iterator[Card]:
    for place, row in enumerate(seen.foremost.rows()):
        yield card(row, place, gallery)


def _head(status: CampaignStatus, seen: Seen, written_at: datetime) -> dict[str, Any]:
    css, script = _asset("page.css"), _asset("page.js")
    return {
        "css": Markup(css),  # noqa: S704 our own file
        "script": Markup(script),  # noqa: S704 our own file
        "css_hash": _hash(css),
        "script_hash": _hash(script),
        "status": status,
        "options": status.campaign.options,
        "written_at": written_at,
        "shares": _shares(seen.outcomes),
        "counts": {one.value: seen.outcomes[one] for one in Outcome},
        "total": seen.foremost.seen,
        "shown": min(seen.foremost.seen, MOST),
        "untrained": seen.untrained,
        "cost": cost(status),
        "prices": _prices(status),
        "words": [*WORDS.values(), OPEN],
    }


def _shares(outcomes: Counter[Outcome | None]) -> list[Share]:
    everything = max(outcomes.total(), 1)
    shares, x = [], 0.0
    for one in (*ORDER, None):
        if count := outcomes[one]:
            width = count / everything * 100
            key = one.value if one else "open"
            shares.append(Share(key=key, word=word(one), count=count, x=x, width=width))
            x += width
    return shares


def _prices(status: CampaignStatus) -> list[tuple[str, str]]:
    """Figures of the cost, each with its unit."""
    if status.footage_s <= 0:
        return [
            (f"{status.cpu_seconds:,.1f}", "CPU seconds in all"),
            (f"{status.gpu_seconds:,.1f}", "GPU seconds in all"),
        ]
    hours = status.footage_s / HOUR_S
    return [
        (span(status.footage_s), "of footage"),
        (f"{status.cpu_seconds / hours:,.0f}", "CPU s per hour of footage"),
        (f"{status.gpu_seconds / hours:,.0f}", "GPU s per hour of footage"),
    ]


def _template() -> Any:
    room = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters["plain"] = printable
    return room.get_template("page.html")


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy calls an inline style or script that it allows."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
