"""From labelled files to face clips: the same media core and scan spec as scanning.

Each file becomes a folder `NAME-<digest>` with a manifest and its clip objects, as a campaign
stores them. What is there already is not made again, so a run that was stopped goes on.
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import track

from unmask.errors import Refused, Unusable
from unmask.media import decode_frames, extract, warm
from unmask.media.manifest import MANIFEST_FILE, read_manifest
from unmask.media.values import Clip, Limits, Manifest
from unmask.model.clips import Frames, PersonFrames
from unmask.model.persons import all_frames
from unmask.spec import ScanSpec
from unmask.train.crops import BadData
from unmask.train.sets.item import Item

_REFUSAL = "refused.json"
#: What the file was like when it was cut.
_STAMP = "file.json"


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What became of an item: people's frames, or why there are none."""

    item: Item
    persons: Sequence[PersonFrames]
    reason: str = ""


def place_of(item: Item, folder: Path, spec: ScanSpec) -> Path:
    if item.is_cut:
        return item.path.parent
    key = hashlib.sha256(str(item.path.resolve()).encode()).hexdigest()[:12]
    return folder / spec.digest / f"{item.method}-{item.path.stem}-{key}"


def extract_all(
    items: Sequence[Item],
    folder: Path,
    spec: ScanSpec,
    *,
    processes: int = 1,
    done: Callable[[Item], object] = str,
) -> None:
    """Makes what is missing, one process per file at a time."""
    _need_spec([item for item in items if item.is_cut], spec)
    missing = [item for item in items if not _is_there(item, place_of(item, folder, spec))]
    made = _one_by_one(missing, folder, spec, processes)
    shown = track(
        made, "cutting clips", len(missing), console=Console(stderr=True), disable=not missing
    )
    for item in shown:
        done(item)


def _need_spec(cut: Sequence[Item], spec: ScanSpec) -> None:
    """Clips made under one spec are never judged as if they were made under another."""
    for item in cut:
        found = read_manifest(item.path.read_bytes()).spec_digest
        if found != spec.digest:
            raise BadData(
                f"{item.path} was cut under scan spec {found}, {spec.digest} ({spec.name}) is "
                "wanted here; export a campaign of a model with that spec, or name the media"
            )


def _one_by_one(
    missing: Sequence[Item], folder: Path, spec: ScanSpec, processes: int
) -> Iterator[Item]:
    """Each as it is there."""
    if processes == 1:
        for item in missing:
            extract_one(item, folder, spec)
            yield item
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        working = {pool.submit(extract_one, item, folder, spec): item for item in missing}
        for finished in as_completed(working):
            _need_alive(finished)
            yield working[finished]


def _need_alive(finished: Future[None]) -> None:
    try:
        finished.result()
    except BrokenProcessPool as error:
        raise Unusable(
            "a process that cut clips was killed or crashed, maybe by a broken file; what was cut "
            "is kept: run the command again with --processes 1 to see at which file it happens"
        ) from error


def _is_there(item: Item, place: Path) -> bool:
    """A file that was mended or changed since is cut again."""
    made = (place / MANIFEST_FILE).is_file() or (place / _REFUSAL).is_file()
    stamp = place / _STAMP
    return made and (not stamp.is_file() or json.loads(stamp.read_text()) == _stamp(item))


def _stamp(item: Item) -> dict[str, int]:
    facts = item.path.stat()
    return {"bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}


def extract_one(item: Item, folder: Path, spec: ScanSpec) -> None:
    warm((spec.detector,))
    place = place_of(item, folder, spec)
    part = place.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / _STAMP).write_text(json.dumps(_stamp(item)))
    try:
        _write(item, part, spec)
    except Refused as refusal:
        (part / _REFUSAL).write_text(json.dumps({"reason": str(refusal)}))
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)


def _write(item: Item, part: Path, spec: ScanSpec) -> None:
    with item.path.open("rb") as file:
        for found in extract(file, spec, Limits()):
            if isinstance(found, Clip):
                (part / found.sha256).write_bytes(found.data)
            else:
                (part / MANIFEST_FILE).write_bytes(found.to_bytes())


def why_nobody(item: Item, folder: Path, spec: ScanSpec) -> str:
    """Why nobody can be judged in it; empty where somebody can. No clip is read for it."""
    found = _manifest(place_of(item, folder, spec))
    if isinstance(found, str):
        return found
    return "" if found.persons else found.reason or "nobody is seen in it"


def load(item: Item, folder: Path, spec: ScanSpec) -> Extracted:
    place = place_of(item, folder, spec)
    if reason := why_nobody(item, folder, spec):
        return Extracted(item=item, persons=(), reason=reason)
    manifest = _manifest(place)
    assert isinstance(manifest, Manifest)
    return Extracted(item=item, persons=_frames(manifest, place))


def first_window(item: Item, folder: Path, spec: ScanSpec) -> Frames:
    """Of the main person; nothing else is decoded."""
    place = place_of(item, folder, spec)
    manifest = _manifest(place)
    assert isinstance(manifest, Manifest)
    person = manifest.persons[0]
    first = person.frames[0].window
    own = tuple(frame for frame in person.frames if frame.window == first)
    clip = (place / person.clip_sha256).read_bytes()
    return decode_frames(clip, dataclasses.replace(person, frames=own), manifest.size)


def _manifest(place: Path) -> Manifest | str:
    """Or why there is none."""
    if (place / _REFUSAL).is_file():
        return str(json.loads((place / _REFUSAL).read_text())["reason"])
    manifest = read_manifest((place / MANIFEST_FILE).read_bytes())
    return manifest if manifest.outcome is None else manifest.reason


def _frames(manifest: Manifest, place: Path) -> list[PersonFrames]:
    clips = {
        person.clip_sha256: (place / person.clip_sha256).read_bytes() for person in manifest.persons
    }
    return all_frames(manifest, clips)
