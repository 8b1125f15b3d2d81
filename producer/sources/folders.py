"""A folder → its media files, in order, each folder once."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from infra.download import stamp_of
from producer.plain import storable
from producer.sources.address import uri_of
from producer.sources.endings import ending, plainly_no_media
from producer.sources.values import Fault, LeftOut, Named

Found = Named | LeftOut | Fault
Inode = tuple[int, int]


def read_folder(folder: Path) -> Iterator[Found]:
    """Depth first, by name. Hidden files are skipped; a link that leads in a circle ends there."""
    seen: set[Inode] = set()
    open_folders = [iter([folder])]
    while open_folders:
        path = next(open_folders[-1], None)
        if path is None:
            open_folders.pop()
            continue
        try:
            facts = path.stat()
            if stat.S_ISDIR(facts.st_mode):
                open_folders.append(_inside(path, facts, seen))
            else:
                yield _file(path, folder, facts)
        except OSError as error:
            yield Fault(line=0, text=str(path), why=f"can't be read ({error.strerror})")


def _inside(folder: Path, facts: os.stat_result, seen: set[Inode]) -> Iterator[Path]:
    inode = (facts.st_dev, facts.st_ino)
    if inode in seen:
        return iter(())
    seen.add(inode)
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    return (folder / name for name in names)


def _file(path: Path, top: Path, facts: os.stat_result) -> Found:
    if not stat.S_ISREG(facts.st_mode):
        return LeftOut(ending="special file")
    if plainly_no_media(path.name):
        return LeftOut(ending=ending(path.name) or path.name)
    return named_file(path, str(Path(top.name) / path.relative_to(top)), facts)


def named_file(path: Path, source: str, facts: os.stat_result) -> Named:
    return Named(uri=uri_of(str(path)), stamp=stamp_of(facts), source=storable(source))
