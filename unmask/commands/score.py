"""`unmask score FILE…`: who in it is judged manipulated, when, and how sure."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from unmask.commands import options
from unmask.commands.sheets import write_sheets
from unmask.commands.told import told
from unmask.media import warm
from unmask.media.values import Limits
from unmask.model.bundle import Bundle
from unmask.model.predict import Predictor, load
from unmask.model.shelf import default_name, find_bundle
from unmask.scan import Scanned, scan_file
from unmask.spec import SEQUENCE_LENGTHS, ScanSpec
from unmask.verdict import PersonVerdict
from unmask.wording import likely, percent

_LENGTHS = "|".join(map(str, SEQUENCE_LENGTHS))

Files = Annotated[list[Path], typer.Argument(help="pictures and videos", metavar="FILE…")]
Model = Annotated[str | None, typer.Option(help="a bundle's folder, or a shipped one's name")]
Frames = Annotated[int | None, typer.Option(help=f"face frames per window: {_LENGTHS}")]
First = Annotated[bool, typer.Option("--first", help="the first frames with a face only")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object per file and line")]
Evidence = Annotated[Path | None, typer.Option(help="folder for evidence sheets", file_okay=False)]


def score(
    files: Files,
    *,
    model: Model = None,
    frames: Frames = None,
    first: First = False,
    device: options.Device = None,
    as_json: Json = False,
    evidence: Evidence = None,
) -> None:
    """Judge files with the whole library, without queue or database."""
    if frames is not None and frames not in SEQUENCE_LENGTHS:
        raise typer.BadParameter(f"--frames takes one of {_LENGTHS}, not {frames}")
    with told(status=2):
        predictor = ready(model, device)
        spec = predictor.bundle.spec_for(frames=frames, first=first)
    warm((spec.detector,))
    for file in files:
        _one(file, predictor, spec, as_json, evidence)


def ready(model: str | None, device: str | None) -> Predictor:
    """The model that was named, or the one that suits this machine; tested before use."""
    predictor = load(_chosen(model, device), device)
    predictor.self_test()
    return predictor


def _chosen(model: str | None, device: str | None) -> Bundle:
    from unmask.model.device import choose_device

    gpu = choose_device(device).type == "cuda"
    return find_bundle(model or default_name(gpu=gpu))


def _one(
    file: Path, predictor: Predictor, spec: ScanSpec, as_json: bool, evidence: Path | None
) -> None:
    scanned = scan_file(file, predictor, spec, Limits())
    say = as_line if as_json else as_text
    typer.echo(say(scanned, predictor.bundle))
    if evidence is not None:
        for written in write_sheets(scanned, predictor, evidence):
            typer.echo(f"  evidence: {written}", err=as_json)


def as_line(scanned: Scanned, bundle: Bundle) -> str:
    verdict, manifest = scanned.verdict, scanned.manifest
    fields: dict[str, Any] = {
        "uri": str(scanned.path),
        "outcome": scanned.outcome,
        "reason": scanned.reason,
        "probability": verdict.probability if verdict else None,
        "persons": [dataclasses.asdict(person) for person in verdict.persons] if verdict else [],
        "coverage": manifest.coverage if manifest else 0.0,
        "model": {"name": bundle.name, "digest": bundle.digest},
    }
    return json.dumps(fields, ensure_ascii=False)


def as_text(scanned: Scanned, bundle: Bundle) -> str:
    lines = [f"{scanned.path}: {scanned.outcome.upper()} ({scanned.reason})"]
    if scanned.verdict and scanned.manifest:
        lines += [line for person in scanned.verdict.persons for line in _person(person)]
        share = scanned.manifest.coverage
        lines.append(f"  looked at {share:.0%} of the time with faces; model {bundle.name}")
    return "\n".join(lines)


def _person(person: PersonVerdict) -> list[str]:
    sure = "" if person.probability is None else f", {likely(person.probability)}"
    seen = ", too blurred to judge" if person.blurred else ""
    lines = [f"  person {person.person}: {person.outcome}{sure}{seen}"]
    for segment in person.segments:
        shown = (
            f"raw score {segment.raw:.3f}"
            if segment.probability is None
            else percent(segment.probability)
        )
        lines.append(f"    {segment.start_s:8.2f} – {segment.end_s:8.2f} s  {shown}")
    return lines
