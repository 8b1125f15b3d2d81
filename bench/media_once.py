"""One extraction in a process of its own, so that its memory is its own: prints one JSON line."""

import json
import sys
import time
from pathlib import Path

from unmask.media import extract, warm
from unmask.media.values import Limits, Manifest
from unmask.spec import ScanSpec


def once(film: Path) -> dict[str, float]:
    warm()
    started = time.perf_counter()
    with film.open("rb") as file:
        *_, manifest = extract(file, ScanSpec(), Limits())
    assert isinstance(manifest, Manifest)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_rss_mb": _peak_mb(), "frames": manifest.frames_decoded}


def _peak_mb() -> float:
    """Of this program alone: `getrusage` counts what the process was before it, too."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(once(Path(sys.argv[1]))))
