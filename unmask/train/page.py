"""A report as one HTML page, with its curves drawn in it, and as JSON."""

import csv
import json
from collections.abc import ItemsView, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from unmask.train.bootstrap import Interval
from unmask.train.evaluation import Evaluation
from unmask.train.scoring import Scored

_SIDE = 260
_COLUMNS = ("source", "method", "group", "score", "probability", "outcome")


def write_report(found: Evaluation, folder: Path) -> tuple[Path, Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "evaluation.html", folder / "evaluation.json"
    data.write_text(json.dumps(plain(found.report), indent=2) + "\n")
    page.write_text(rendered(found.report, found.faces), encoding="utf-8")
    return page, data, _write_items(found.scored, folder / "items.csv")


def _write_items(scored: Sequence[Scored], path: Path) -> Path:
    """Every item with what was said of it; `real` stands where no method was at work."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(_COLUMNS)
        lines.writerows([getattr(item, name) for name in _COLUMNS] for item in scored)
    return path


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


def rendered(report: dict[str, Any], faces: Mapping[str, str] | None = None) -> str:
    """`faces` are pictures of the worst mistakes, by source."""
    pages = Environment(
        loader=PackageLoader("unmask.train", "templates"), autoescape=select_autoescape()
    )
    pages.filters |= {"figure": figure, "range": between, "points": points}
    return pages.get_template("evaluation.html").render(
        report=report,
        side=_SIDE,
        reliability=[(each["said"], each["true"]) for each in report["reliability"]],
        timed=any("added by time" in row for row in report["by method"].values()),
        mistakes=[
            one | {"picture": (faces or {}).get(one["source"])} for one in report["worst mistakes"]
        ],
    )


def between(value: Interval, scale: float = 1.0) -> str:
    """`0.880 to 0.940`, or `8.8 to 9.4 %` at a scale of 100."""
    if value.low is None or value.high is None:
        return "too few groups for an interval"
    if scale == 1.0:
        return f"{value.low:.3f} to {value.high:.3f}"
    return f"{value.low * scale:.1f} to {value.high * scale:.1f} %"


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
    if report.get("by length") == {}:
        lines.append("  windows by length: too few frames with a face, of one class at least")
    lines += [f"  after {name}, auc: {_row(row)}" for name, row in _table(report, "robustness")]
    return lines


def _table(report: dict[str, Any], name: str) -> ItemsView[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = report.get(name, {})
    return found.items()


def _row(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in row.items())


_SHOWN = ("auc", "equal error rate", "accuracy", "log loss", "calibration error")
