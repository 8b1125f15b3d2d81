"""A bundle's model card: from its description and the reports of `unmask evaluate`."""

from collections.abc import Sequence
from typing import Any

from unmask.model.bundle import Bundle
from unmask.model.description import Description

CARD_FILE = "CARD.md"

#: What holds for every model of this kind, whatever its figures.
_LIMITS = """\
- A verdict is a statement about pixels, not about a person's honesty or a recording's truth. It
  must not be the only ground for a decision about anybody.
- It judges faces. Cloned voices, scenes without a face, edited context and wholly generated people
  are outside of what it was made for.
- Faces smaller than {min_face} pixels are not judged. Strong compression, small or blurred faces,
  make-up, filters and old photographs move scores in both directions.
- Manipulations that leave no seam and no trace in colour or detail are not found, and who knows
  the model can make fakes that pass it.
- The people in its data are no fair sample of mankind. Error rates may differ between groups of
  people; they were not measured by group.\
"""


def card(bundle: Bundle, reports: Sequence[dict[str, Any]]) -> str:
    said = bundle.description
    parts = [
        [f"# {said.name}", "", said.about],
        _use(said),
        _making(said),
        *(_measured(report) for report in reports),
        ["## Limits", "", _LIMITS.format(min_face=said.spec.min_face_px)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _use(said: Description) -> list[str]:
    terms = said.training.terms if said.training else "none: nothing was learned"
    return ["## Terms", "", f"Weights: {terms}."]


def _making(said: Description) -> list[str]:
    built, spec = said.architecture, said.spec
    network = f"{built.trunk}, LSTM of {built.width} over time, pooling {built.pooling}"
    clips = f"{spec.size} pixels, crop `{spec.box}`, windows of {spec.frames} frames"
    lines = [
        "## Making",
        "",
        f"- Network: {network}; weights as {said.weights.encoding}.",
        f"- Clips: {clips}, {spec.spacing_s} s apart.",
    ]
    if said.looks:
        looks = f"judged {1 + len(said.looks)} times, mirrored or from nearer; the mean counts"
        lines.append(f"- Pictures: {looks}.")
    for opinion in said.opinions:
        seeing = "light alone" if opinion.colours == "grey" else "colours"
        which = f"{opinion.architecture.trunk} seeing {seeing}, which counts {opinion.share:.0%}"
        lines.append(f"- Another opinion on {' and '.join(opinion.on)}: {which}.")
    if said.training:
        lines += [
            f"- Recipe: `{said.training.recipe}`.",
            *(f"- Data: {each}." for each in said.training.data),
        ]
    if said.calibration:
        lines.append(f"- Calibration and thresholds fitted on {said.calibration.fitted_on}.")
    return lines


def _measured(report: dict[str, Any]) -> list[str]:
    data = report["data"]
    head = f"## Measured on {data['source']}" + (
        "" if data["part"] == "all" else f", {data['part']} part"
    )
    counts = f"{data['real']} real and {data['fake']} fake items in {data['groups']} groups."
    rows = [
        f"| {name} | {_figure(row['auc'])} | {_figure(row['equal error rate'])} "
        f"| {_figure(row['accuracy'])} | {_figure(row['calibration error'])} |"
        for name, row in report["levels"].items()
    ]
    alarms = _figure(report["outcomes"]["reals called fake"])
    return [
        head, "", counts + " Intervals hold 95 of 100 drawings of whole groups.", "",
        "| level | AUC | equal error rate | accuracy at one half | calibration error |",
        "|---|---|---|---|---|", *rows, "",
        *_by_method(report["by method"]),
        f"Real items called fake at the default thresholds: {alarms}.",
    ]  # fmt: skip


def _by_method(table: dict[str, dict[str, Any]]) -> list[str]:
    if len(table) < 2:
        return []
    timed = all("added by time" in row for row in table.values())
    rows = [
        f"| {name} | {row['fakes']} | {_figure(row['auc'])} |"
        + (f" {_figure(row['added by time'])} |" if timed else "")
        for name, row in table.items()
    ]
    head = "| manipulation | fakes | video AUC |" + (" of it by time |" if timed else "")
    return [head, "|---|---|---|" + ("---|" if timed else ""), *rows, ""]


def _figure(value: dict[str, float | None]) -> str:
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})"
