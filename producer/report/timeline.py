"""One person's segments as a drawing: when, and how likely manipulated.

▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁    time from left to right
   ██        ▄▄        ██         height: the probability of fake
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producer.report.words import Tone
from unmask.judgement import Band, band
from unmask.wording import likely

#: The drawing's own units; the page stretches them.
WIDTH, HEIGHT = 1000.0, 48.0
#: A shorter bar could not be seen, nor a lower one.
NARROWEST, LOWEST = 7.0, 4.0
TONES: Mapping[Band | None, Tone] = {
    "high": "fake",
    "unsure": "unsure",
    "low": "real",
    None: "plain",
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: Tone
    tip: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    bars: tuple[Bar, ...]
    #: Where the thresholds lie, from the top.
    lines: tuple[float, ...]
    end: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    real: float | None
    fake: float | None

    def tone(self, probability: float | None) -> Tone:
        """The colour says on which side it lies; without thresholds it says nothing."""
        return TONES[band(probability, self.real, self.fake)]


def timeline(
    segments: Sequence[Mapping[str, Any]], duration_s: float | None, thresholds: Thresholds
) -> Timeline | None:
    """None where nothing has a length: a picture."""
    end = max([duration_s or 0.0, *(float(one["end_s"]) for one in segments)])
    if end <= 0:
        return None
    bars = tuple(_bar(one, end, thresholds) for one in segments)
    return Timeline(
        bars=bars,
        lines=tuple(_y(one) for one in (thresholds.real, thresholds.fake) if one is not None),
        end=clock(end),
        says="; ".join(bar.tip for bar in bars),
    )


def _bar(segment: Mapping[str, Any], end: float, thresholds: Thresholds) -> Bar:
    start, stop = float(segment["start_s"]), float(segment["end_s"])
    probability = segment.get("probability")
    width = max((stop - start) / end * WIDTH, NARROWEST)
    top = 0.0 if probability is None else min(_y(probability), HEIGHT - LOWEST)
    return Bar(
        x=round(min(start / end * WIDTH, WIDTH - width), 1),
        y=round(top, 1),
        width=round(width, 1),
        height=round(HEIGHT - top, 1),
        tone=thresholds.tone(probability),
        tip=f"{clock(start)}–{clock(stop)}, {likely(probability)}",
    )


def _y(probability: float) -> float:
    return round(HEIGHT * (1 - probability), 1)


def clock(seconds: float) -> str:
    """`0:03.2`, `12:40`, `1:02:03`: as a player shows it, finer where a film is short.

    >>> clock(3.2), clock(760), clock(3723)
    ('0:03.2', '12:40', '1:02:03')
    """
    if round(seconds, 1) < 60:
        return f"0:{seconds:04.1f}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
