"""`unmask score FILE…`: who in it is judged manipulated, when, and how sure."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from unmask.outcomes import Outcome
from unmask.scan import Scanned, scan_file
from unmask.spec import SEQUENCE_LENGTHS
from unmask.verdict import PersonVerdict, Segment, lasts
from unmask.wording import likely, percent, printable

_LENGTHS = "|".join(map(str, SEQUENCE_LENGTHS))
#: Of what a single frame says.
_DIGITS = 3
#: What the names of a person's evidence pictures end in.
_PICTURES = {"sheet": "", "frame": "-frame", "attention": "-attention"}

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
    """Judge files with the whole library, without queue or database.

    Ends with 0, with 1 where a file could not be read or its evidence not be written, and with 2
    for wrong usage.
    """
    if frames is not None and frames not in SEQUENCE_LENGTHS:
        raise typer.BadParameter(f"--frames takes one of {_LENGTHS}, not {frames}")
    with told(status=2):
        predictor = ready(model, device)
        spec = predictor.bundle.spec_for(frames=frames, first=first)
        warm((spec.detector,))
    read = True
    for file, name in named(files):
        scanned = scan_file(file, predictor, spec, Limits())
        _tell(scanned, predictor, evidence, name, as_json=as_json)
        read &= scanned.outcome is not Outcome.UNREACHABLE
    if not read:
        raise typer.Exit(1)


def ready(model: str | None, device: str | None) -> Predictor:
    """The model that was named, or the one that suits this machine; tested before use."""
    predictor = load(_chosen(model, device), device)
    predictor.self_test()
    return predictor


def _chosen(model: str | None, device: str | None) -> Bundle:
    from unmask.model.device import choose_device

    gpu = choose_device(device).type == "cuda"
    return find_bundle(model or default_name(gpu=gpu))


def named(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Each file and what its evidence is called: `a/x.mp4` and `b/x.mp4` are two files.

    >>> [name for _, name in named([Path("a/x.mp4"), Path("b/x.mp4")])]
    ['x.mp4', 'x.mp4-2']
    """
    met: Counter[str] = Counter()
    for file in files:
        met[file.name] += 1
        yield file, file.name if met[file.name] == 1 else f"{file.name}-{met[file.name]}"


def _tell(
    scanned: Scanned, predictor: Predictor, folder: Path | None, name: str, *, as_json: bool
) -> None:
    """The verdict, also where its evidence can't be written; as JSON it names the pictures."""
    if not as_json:
        typer.echo(as_text(scanned, predictor.bundle))
    pictures: list[Path] = []
    try:
        for picture in write_sheets(scanned, predictor, folder, name) if folder else ():
            typer.echo(f"  evidence: {printable(str(picture))}", err=as_json)
            pictures.append(picture)
    except OSError as error:
        which = printable(str(scanned.path))
        typer.echo(f"unmask: no evidence of {which}: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    finally:
        if as_json:
            typer.echo(as_line(scanned, predictor.bundle, name, pictures))


def as_line(scanned: Scanned, bundle: Bundle, name: str, pictures: Sequence[Path]) -> str:
    """`pictures` are those that were written of it, called after `name`."""
    verdict, manifest = scanned.verdict, scanned.manifest
    own = {picture.stem: str(picture) for picture in pictures}
    fields: dict[str, Any] = {
        "uri": str(scanned.path),
        "outcome": scanned.outcome,
        "reason": scanned.reason,
        "probability": verdict.probability if verdict else None,
        "persons": [
            _fields(person, scanned) | {"evidence": _evidence(f"{name}-person{person.person}", own)}
            for person in (verdict.persons if verdict else ())
        ],
        "coverage": manifest.share_seen if manifest else 0.0,
        "model": {"name": bundle.name, "digest": bundle.digest},
    }
    return json.dumps(fields)


def _fields(person: PersonVerdict, scanned: Scanned) -> dict[str, Any]:
    """Without the keys of stored pictures, which only a fleet has."""
    fields = dataclasses.asdict(person)
    scores = [one for each in scanned.scores for one in each if one.person == person.index]
    scores.sort(key=lambda score: (score.start_s, score.window))
    for segment, score in zip(fields["segments"], scores, strict=True):
        del segment["evidence"], segment["heat"]
        segment["frame_scores"] = [round(each, _DIGITS) for each in score.frame_scores]
    return fields


def _evidence(stem: str, pictures: Mapping[str, str]) -> dict[str, str]:
    """Paths by what is on them."""
    ends = {kind: stem + end for kind, end in _PICTURES.items()}
    return {kind: pictures[end] for kind, end in ends.items() if end in pictures}


def as_text(scanned: Scanned, bundle: Bundle) -> str:
    lines = [f"{printable(str(scanned.path))}: {scanned.outcome.upper()} ({scanned.reason})"]
    if scanned.verdict and scanned.manifest:
        persons = scanned.verdict.persons
        timed = lasts(segment for person in persons for segment in person.segments)
        lines += [line for person in persons for line in _person(person, timed=timed)]
        share = scanned.manifest.share_seen
        part = "an unknown share" if share is None else f"{share:.0%}"
        lines.append(f"  looked at {part} of the time with faces; model {bundle.name}")
    return "\n".join([*lines, *(f"  {note}" for note in _notes(scanned))])


def _notes(scanned: Scanned) -> tuple[str, ...]:
    return scanned.manifest.notes if scanned.manifest else ()


def _person(person: PersonVerdict, *, timed: bool) -> list[str]:
    sure = "" if person.probability is None else f", {likely(person.probability)}"
    seen = ", seen only blurred" if person.blurred else ""
    lines = [f"  person {person.person}: {person.outcome}{sure}{seen}"]
    return [*lines, *(_stretch(segment, timed=timed) for segment in person.segments)]


def _stretch(segment: Segment, *, timed: bool) -> str:
    """A picture has no moment to name, and a single frame no end."""
    told = f"raw score {segment.raw:.3f}"
    if segment.probability is not None:
        told = percent(segment.probability)
    if not timed:
        return f"    {told}"
    if segment.end_s == segment.start_s:
        return f"    {segment.start_s:8.2f} s             {told}"
    return f"    {segment.start_s:8.2f} – {segment.end_s:8.2f} s  {told}"
