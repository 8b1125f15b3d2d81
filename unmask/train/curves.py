"""What a run told, as a picture: loss, validation and rate over steps, in one SVG file."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

LINES = "journal.jsonl"
CURVES = "curves.svg"
_WIDTH, _HEIGHT = 300, 180

#: Title → names in the journal of what is drawn there, and how.
_PANELS: dict[str, tuple[str, ...]] = {
    "loss": ("loss", "validation loss"),
    "validation": ("auc", "accuracy"),
    "rate": ("rate",),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    #: As an SVG polyline.
    points: str
    #: The last value.
    last: float


@dataclass(frozen=True, kw_only=True)
class Panel:
    title: str
    lines: Sequence[Line]
    lowest: float
    highest: float


def read_lines(path: Path) -> list[dict[str, float]]:
    """What a run told so far; a line that a kill cut short is none."""
    told = []
    for line in path.read_text().splitlines() if path.exists() else ():
        with suppress(json.JSONDecodeError):
            told.append(json.loads(line))
    return told


def draw(folder: Path) -> Path | None:
    """Beside the journal that it is made from; nothing where that is empty."""
    told = read_lines(folder / LINES)
    if not told:
        return None
    pages = Environment(loader=PackageLoader("unmask.train", "templates"), autoescape=True)
    steps = max(line["step"] for line in told)
    panels = [_panel(title, names, told, steps) for title, names in _PANELS.items()]
    page = pages.get_template("curves.svg").render(
        panels=[panel for panel in panels if panel.lines], steps=int(steps), width=_WIDTH,
        height=_HEIGHT,
    )  # fmt: skip
    (folder / CURVES).write_text(page, encoding="utf-8")
    return folder / CURVES


def _panel(title: str, names: Sequence[str], told: Sequence[dict[str, Any]], steps: float) -> Panel:
    series = {name: [(x["step"], x[name]) for x in told if name in x] for name in names}
    values = [value for some in series.values() for _, value in some]
    lowest, highest = min(values, default=0.0), max(values, default=1.0)
    spread = (highest - lowest) or 1.0

    def place(step: float, value: float) -> str:
        return f"{step / steps * _WIDTH:.1f},{(highest - value) / spread * _HEIGHT:.1f}"

    lines = [
        Line(name=name, points=" ".join(place(*each) for each in some), last=some[-1][1])
        for name, some in series.items()
        if some
    ]
    return Panel(title=title, lines=lines, lowest=lowest, highest=highest)
