"""What a person sees while a scan runs: a live view on a terminal, elsewhere a line at times."""

import time
from collections.abc import Callable
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from producer.ranking import ORDER
from producer.scan import Watching
from producer.status import (
    STYLES,
    failure_line,
    pace,
    rate_word,
    resting_line,
    span,
)
from schemas.pace import ended, left_s, rate_per_s, total
from schemas.records import CampaignStatus
from schemas.stages import Stage
from unmask.outcomes import Outcome
from unmask.wording import printable

#: Without a terminal: a line this often, and one whenever something ends that had not before.
LINE_EVERY_S = 10.0
FAILURES = 4
#: Hosts that are left alone for a while.
RESTING = 2
#: What has passed the first stage; a rejection ends there.
EXTRACTED = (
    Stage.EXTRACTED,
    Stage.CLASSIFYING,
    Stage.DONE,
    Stage.REJECTED,
    Stage.DEAD,
    Stage.CANCELLED,
)


class LiveView:
    def __init__(
        self,
        *,
        device: str,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._device, self._clock = device, clock
        self._live: Live | None = None
        self._said_at = float("-inf")
        self._said_ended = -1

    def __enter__(self) -> Self:
        self._console.print(f"classifying on {self._device}", highlight=False, soft_wrap=True)
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, seen: Watching) -> None:
        for note in seen.notes:
            self._console.print(printable(note), style="yellow", highlight=False, soft_wrap=True)
        if self._live is not None:
            self._live.update(render(seen))
        elif self._is_time(seen.status):
            for text in (line(seen.status), *map(resting_line, seen.resting[:RESTING])):
                self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def trouble(self, words: str) -> None:
        self._console.print(printable(words), style="yellow", highlight=False)

    def _is_time(self, status: CampaignStatus) -> bool:
        if not total(status):
            return False
        now, count = self._clock(), ended(status)
        news = count != self._said_ended and now >= self._said_at + 1.0
        if not news and now < self._said_at + LINE_EVERY_S:
            return False
        self._said_at, self._said_ended = now, count
        return True


def line(status: CampaignStatus) -> str:
    outcomes = " · ".join(
        f"{one.value} {status.outcomes[one]:,}" for one in ORDER if status.outcomes.get(one)
    )
    said = f"{ended(status):,} of {total(status):,} ended"
    return " · ".join(filter(None, (said, outcomes, pace(status))))


def render(seen: Watching) -> RenderableType:
    status = seen.status
    reading = not seen.submission.is_over
    parts: list[RenderableType] = [_title(status, reading), _bars(status), _outcomes(status)]
    parts += [_pace(status)]
    parts += [_cut(failure_line(one), "dim") for one in status.failures[:FAILURES]]
    parts += [_cut(resting_line(one), "yellow") for one in seen.resting[:RESTING]]
    return Group(*parts)


def _cut(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _title(status: CampaignStatus, reading: bool) -> Text:
    options = status.campaign.options
    text = Text.assemble((options.name, "bold"), f"  model {options.model}")
    return text.append("  reading the list…", "dim") if reading else text


def _bars(status: CampaignStatus) -> Table:
    table = Table.grid(padding=(0, 1))
    everything = total(status)
    passed = sum(status.stages.get(stage, 0) for stage in EXTRACTED)
    bars = [("fetch, find faces", passed, status.stages.get(Stage.EXTRACTING, 0))]
    if not status.campaign.options.extract_only:
        bars.append(("judge", ended(status), status.stages.get(Stage.CLASSIFYING, 0)))
    for name, count, working in bars:
        bar = ProgressBar(total=max(everything, 1), completed=count, width=30)
        table.add_row(name, bar, f"{count:,}/{everything:,}", Text(f"{working} at work", "dim"))
    return table


def _outcomes(status: CampaignStatus) -> Text:
    text = Text()
    for one in ORDER:
        if status.outcomes.get(one):
            text.append(f"{one.value} {status.outcomes[one]:,}  ", _style(one))
    return text


def _style(one: Outcome) -> str:
    return STYLES.get(one, "dim")


def _pace(status: CampaignStatus) -> Text:
    left = left_s(status)
    text = f"{rate_word(rate_per_s(status))} items/s"
    text += f", {span(left)} left" if left else ""
    return Text(
        f"{text}  ·  {status.cpu_seconds:,.0f} CPU s  {status.gpu_seconds:,.0f} GPU s", "dim"
    )
