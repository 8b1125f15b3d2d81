"""One extraction in a process of its own, so that its memory is its own: prints one JSON line."""

import json
import resource
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_rss_mb": peak, "frames": manifest.frames_decoded}


if __name__ == "__main__":
    print(json.dumps(once(Path(sys.argv[1]))))
