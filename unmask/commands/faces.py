"""`unmask faces FILE`: who is in it, and when."""

from pathlib import Path
from typing import Annotated

import cv2
import typer

from unmask.errors import Refused
from unmask.media import extract, warm
from unmask.media.page import moving_page
from unmask.media.sheet import contact_sheet
from unmask.media.values import Clip, Limits, Manifest, Person
from unmask.spec import PAPERS, PAPERS_TRAINING, ScanSpec

_SPECS = {spec.name: spec for spec in (ScanSpec(), PAPERS, PAPERS_TRAINING)}

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a picture or a video")]
Sheet = Annotated[Path | None, typer.Option(help="where the contact sheet goes (.png or .jpg)")]
Page = Annotated[Path | None, typer.Option(help="also write a page that shows the faces move")]
Spec = Annotated[str, typer.Option(help=f"how to look: {' or '.join(_SPECS)}")]
Frames = Annotated[int | None, typer.Option(help="frames per window")]
First = Annotated[bool, typer.Option("--first", help="the first frames with a face only")]
Stride = Annotated[int | None, typer.Option(help="every k-th frame")]


def faces(
    file: File,
    *,
    sheet: Sheet = None,
    page: Page = None,
    spec: Spec = "spread",
    frames: Frames = None,
    first: First = False,
    stride: Stride = None,
) -> None:
    """Print the people in a file and when they are seen, and write a contact sheet."""
    if spec not in _SPECS:
        raise typer.BadParameter(f"unknown spec {spec!r}: {', '.join(_SPECS)}")
    chosen = _SPECS[spec].with_options(frames=frames, first=first, stride=stride)
    warm((chosen.detector,))
    try:
        clips, manifest = _extracted(file, chosen)
    except Refused as refusal:
        typer.echo(f"{file}: {refusal}", err=True)
        raise typer.Exit(1) from refusal
    for line in described(manifest):
        typer.echo(line)
    if clips:
        target = sheet or Path(f"{file.stem}-faces.png")
        cv2.imwrite(str(target), cv2.cvtColor(contact_sheet(manifest, clips), cv2.COLOR_RGB2BGR))
        typer.echo(f"contact sheet: {target}")
    if page:
        page.write_text(moving_page(file.name, manifest, clips), encoding="utf-8")
        typer.echo(f"page: {page}")


def _extracted(file: Path, spec: ScanSpec) -> tuple[list[Clip], Manifest]:
    with file.open("rb") as opened:
        *clips, manifest = extract(opened, spec, Limits())
    found = [clip for clip in clips if isinstance(clip, Clip)]
    assert isinstance(manifest, Manifest)
    return found, manifest


def described(manifest: Manifest) -> list[str]:
    media = manifest.media
    length = "" if media.duration_s is None else f", {media.duration_s:.2f} s"
    head = f"{media.kind} {media.width}×{media.height} ({media.codec}){length}"
    if manifest.outcome is not None:
        return [head, f"{manifest.outcome}: {manifest.reason}", *manifest.notes]
    people = [line for person in manifest.persons for line in _person(person)]
    if manifest.left_out:
        people.append(f"{manifest.left_out} more people left out")
    return [head, *people, *manifest.notes]


def _person(person: Person) -> list[str]:
    size = sorted(frame.face_px for frame in person.frames)[len(person.frames) // 2]
    lines = [f"person {person.person + 1}: {len(person.frames)} frames, face {size} pixels"]
    for window in sorted({frame.window for frame in person.frames}):
        times = [frame.time_s for frame in person.frames if frame.window == window]
        lines.append(f"  {min(times):8.2f} – {max(times):8.2f} s  {len(times)} frames")
    return lines
