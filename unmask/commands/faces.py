"""`unmask faces FILE`: who is in it, and when."""

import dataclasses
from pathlib import Path
from typing import Annotated

import cv2
import typer

from unmask.errors import Refused, Unusable
from unmask.media import extract, warm
from unmask.media.colour import Rgb
from unmask.media.page import moving_page
from unmask.media.papers import is_papers
from unmask.media.sheet import contact_sheet
from unmask.media.values import Clip, Limits, Manifest, Person
from unmask.spec import PAPERS, PAPERS_TRAINING, Detector, ScanSpec
from unmask.wording import counted, printable

#: What a contact sheet may be written as.
_SHEETS = (".png", ".jpg", ".jpeg", ".webp")
_SPECS = {spec.name: spec for spec in (ScanSpec(), PAPERS, PAPERS_TRAINING)}

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a picture or a video")]
Sheet = Annotated[Path | None, typer.Option(help="where the contact sheet goes (.png or .jpg)")]
Page = Annotated[Path | None, typer.Option(help="also write a page that shows the faces move")]
Spec = Annotated[str, typer.Option(help=f"how to look: {' or '.join(_SPECS)}")]
Frames = Annotated[int | None, typer.Option(min=1, help="frames per window")]
First = Annotated[bool, typer.Option("--first", help="the first frames with a face only")]
Stride = Annotated[int | None, typer.Option(min=1, help="every k-th frame")]
Finder = Annotated[Detector | None, typer.Option("--detector", help="in place of the spec's own")]


def faces(
    file: File,
    *,
    sheet: Sheet = None,
    page: Page = None,
    spec: Spec = "spread",
    frames: Frames = None,
    first: First = False,
    stride: Stride = None,
    finder: Finder = None,
) -> None:
    """Print the people in a file and when they are seen, and write a contact sheet."""
    target = sheet or Path(f"{file.stem}-faces.png")
    if target.suffix.lower() not in _SHEETS:
        raise typer.BadParameter(f"a sheet ends in {' or '.join(_SHEETS)}, not as {target.name}")
    chosen = _with(_named(spec), finder)
    chosen = chosen.with_options(frames=frames, first=first, stride=stride)
    try:
        warm((chosen.detector,))
        clips, manifest = _extracted(file, chosen)
    except (Refused, Unusable) as error:
        raise _ended(f"{file}: {error}") from error
    for line in described(manifest):
        typer.echo(line)
    if clips:
        _write(target, _coded(contact_sheet(manifest, clips), target), "contact sheet")
    if page:
        _write(page, moving_page(printable(file.name), manifest, clips).encode(), "page")


def _named(spec: str) -> ScanSpec:
    if spec not in _SPECS:
        raise typer.BadParameter(f"unknown spec {spec!r}: {', '.join(_SPECS)}")
    return _SPECS[spec]


def _with(spec: ScanSpec, finder: Detector | None) -> ScanSpec:
    if finder is None:
        return spec
    found = dataclasses.replace(spec, name=f"{spec.name}-{finder}", detector=finder)
    if is_papers(spec) and not is_papers(found):
        raise typer.BadParameter(f"the papers' way knows `hog` and `cnn`, not `{finder}`")
    return found


def _coded(sheet: Rgb, target: Path) -> bytes:
    return cv2.imencode(target.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()


def _write(target: Path, data: bytes, what: str) -> None:
    try:
        target.write_bytes(data)
    except OSError as error:
        raise _ended(f"{target} can't be written: {error.strerror}") from error
    typer.echo(printable(f"{what}: {target}"))


def _ended(words: str) -> typer.Exit:
    typer.echo(printable(f"unmask: {words}"), err=True)
    return typer.Exit(1)


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
        people.append(f"{counted(manifest.left_out, 'more person', 'more people')} left out")
    return [head, *people, *manifest.notes]


def _person(person: Person) -> list[str]:
    size = sorted(frame.face_px for frame in person.frames)[len(person.frames) // 2]
    seen = counted(len(person.frames), "frame")
    lines = [f"person {person.person + 1}: {seen}, face {size} pixels"]
    for window in sorted({frame.window for frame in person.frames}):
        times = [frame.time_s for frame in person.frames if frame.window == window]
        if max(times) > min(times):
            lines.append(f"  {min(times):8.2f} – {max(times):8.2f} s  {len(times)} frames")
    return lines
