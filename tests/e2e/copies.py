"""Films for a scan to be in the middle of."""

import shutil
from pathlib import Path

from tests.e2e.conftest import ROOT, Bench

SAMPLE = ROOT / "samples" / "talking-head.mp4"
#: More than are cut while the classifier starts: they end in one batch, and the scan with them.
MANY = 20
#: Few enough to be quick, and enough that all of them outlast that start.
PART = ("--first", "--frames", "60")


def copies(folder: Path, count: int) -> Path:
    """The same picture over and over is one content; a changed tail makes it another."""
    media = folder / "media"
    media.mkdir()
    for number in range(count):
        target = media / f"clip-{number}.mp4"
        shutil.copy(SAMPLE, target)
        with target.open("ab") as file:
            file.write(number.to_bytes(4, "big"))
    return media


def finished(bench: Bench) -> int:
    return bench.count("select count(*) from item where stage = 'done'")


def begun(bench: Bench) -> bool:
    """A worker holds the first item: the scan is in the middle of its work."""
    return bench.count("select count(*) from move where new = 'extracting'") > 0
