"""`python -m bench start`: how soon a scan begins its first item in a ready environment."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import settings
from infra.ledger import open_ledger

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5


def seconds_to_first_item(folder: Path) -> float:
    state = folder / "state"
    command = [
        *("make", "--no-print-directory", "-C", str(ROOT), "scan"),
        f"MEDIA={ROOT / 'samples' / 'not-a-video.mp4'}",
        f"ARGS=--state {state} --out {folder / 'results'}",
    ]
    started = time.time()
    subprocess.run(command, check=True, capture_output=True)
    ledger = open_ledger(f"sqlite:///{state / 'unmask.db'}")
    (name,) = [campaign.options.name for campaign in ledger.campaigns()]
    first = ledger.status(name).first_started
    assert first is not None
    return first.timestamp() - started


def main() -> None:
    settings.load()  # a wrong variable is told before anything is measured
    values = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            values.append(seconds_to_first_item(Path(folder)))
    print(f"make scan to the first item begun, {RUNS} runs, {sys.version.split()[0]}")
    print(f"  median {statistics.median(values):.2f} s   worst {max(values):.2f} s")
    print(json.dumps({"first_item_s": round(statistics.median(values), 3)}))


if __name__ == "__main__":
    main()
