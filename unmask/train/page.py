"""A report as one HTML page, with its curves drawn in it, and as JSON."""

import json
from collections.abc import ItemsView, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from unmask.train.bootstrap import Interval

_SIDE = 260


def write_report(report: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "evaluation.html", folder / "evaluation.json"
    data.write_text(json.dumps(plain(report), indent=2) + "\n")
    page.write_text(rendered(report))
    return page, data


def plain(value: Any) -> Any:
    """Intervals as objects with three fields."""
    if isinstance(value, Interval):
        return {
            name: None if each is None else round(each, 5) for name, each in value._asdict().items()
        }
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return round(value, 5) if isinstance(value, float) else value


def rendered(report: dict[str, Any]) -> str:
    pages = Environment(
        loader=PackageLoader("unmask.train", "templates"), autoescape=select_autoescape()
    )
    pages.filters["figure"] = figure
    reliability = [(each["said"], each["true"]) for each in report["reliability"]]
    return pages.get_template("evaluation.html").render(
        report=report, side=_SIDE, roc=points(report["curve"]), reliability=points(reliability)
    )


def figure(value: object) -> str:
    """`0.912 (0.88–0.94)`"""
    if not isinstance(value, Interval):
        return f"{value:.3f}" if isinstance(value, float) else str(value)
    if value.low is None or value.high is None:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} ({value.low:.3f}–{value.high:.3f})"


def points(line: Sequence[tuple[float, float]]) -> str:
    """An SVG polyline in a square whose origin is at the lower left."""
    return " ".join(f"{x * _SIDE:.1f},{(1 - y) * _SIDE:.1f}" for x, y in line)


def summary(report: dict[str, Any]) -> list[str]:
    """The figures that matter most, for a terminal."""
    data = report["data"]
    counts = f"{data['real']} real, {data['fake']} fake, {data['groups']} groups"
    lines = [f"{data['source']}, {data['part']}: {counts}"]
    for name, figures in report["levels"].items():
        shown = ", ".join(f"{key} {figure(figures[key])}" for key in _SHOWN)
        lines.append(f"  {name:7} {shown}")
    for method, row in report["by method"].items():
        added = f", added by time {figure(row['added by time'])}" if "added by time" in row else ""
        lines.append(f"  {method}: video auc {figure(row['auc'])}{added}")
    lines.append(f"  reals called fake: {figure(report['outcomes']['reals called fake'])}")
    lines += [f"  windows of {name}: {_row(row)}" for name, row in _table(report, "by length")]
    lines += [f"  after {name}, auc: {_row(row)}" for name, row in _table(report, "robustness")]
    return lines


def _table(report: dict[str, Any], name: str) -> ItemsView[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = report.get(name, {})
    return found.items()


def _row(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in row.items())


_SHOWN = ("auc", "equal error rate", "accuracy", "calibration error")
