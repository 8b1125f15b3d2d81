"""Celeb-DF v1 and v2: `Celeb-real/id0_0000.mp4`, `Celeb-synthesis/id0_id1_0000.mp4`, YouTube-real.

`List_of_testing_videos.txt` names the test part, with 1 for real and 0 for fake before each name.
"""

import re
from pathlib import Path

from unmask.train.crops import BadData
from unmask.train.sets.item import Item

#: Folder → whether its videos are fake.
_FOLDERS = {"Celeb-real": False, "YouTube-real": False, "Celeb-synthesis": True}
_TEST_LIST = "List_of_testing_videos.txt"
_LINE = re.compile(r"([01])\s+(\S+)")


def recognised(source: Path) -> bool:
    return (source / "Celeb-real").is_dir() and (source / "Celeb-synthesis").is_dir()


def items(source: Path) -> list[Item]:
    tested = _tested(source)
    found = [
        _item(path, fake, path.relative_to(source).as_posix() in tested)
        for folder, fake in _FOLDERS.items()
        for path in sorted((source / folder).glob("*.mp4"))
    ]
    lacking = tested.keys() - {item.path.relative_to(source).as_posix() for item in found}
    if lacking:
        raise BadData(f"{source}: {_TEST_LIST} names videos that are not there: {min(lacking)}")
    wrong = [
        i.path for i in found if tested.get(i.path.relative_to(source).as_posix(), i.fake) != i.fake
    ]
    if wrong:
        raise BadData(f"{wrong[0]}: its label in {_TEST_LIST} is not that of its folder")
    return found


def _item(path: Path, fake: bool, tested: bool) -> Item:
    return Item(
        path=path,
        fake=fake,
        identities=_identities(path.stem),
        method="Celeb-DF" if fake else "real",
        part="test" if tested else None,
    )


def _identities(stem: str) -> tuple[str, ...]:
    """The people in `id0_id1_0000`; a YouTube video is somebody of its own."""
    people = tuple(re.findall(r"id\d+", stem))
    return people or (f"youtube-{stem}",)


def _tested(source: Path) -> dict[str, bool]:
    """Name of each video in the test list → whether it is fake."""
    path = source / _TEST_LIST
    if not path.is_file():
        return {}
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    matched = [_LINE.fullmatch(line.strip()) for line in lines]
    if not all(matched):
        raise BadData(f"{path}: expected `1 FOLDER/NAME.mp4` on each line")
    return {match[2]: match[1] == "0" for match in matched if match}
