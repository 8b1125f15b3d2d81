"""`make fuzz`: the whole corpus through the room, then the fuzz targets for a bounded time."""

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from tests.fuzz.campaign import File, campaign
from tests.fuzz.corpus import whole

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 20


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=int, default=60, help="for each fuzz target")
    words.add_argument("--rooms", type=int, default=os.cpu_count() or 1)
    words.add_argument("--most", type=int, default=3600, help="seconds for all the files")
    given = words.parse_args()
    faults = _files(given.rooms, given.most)
    for target in ("probe", "manifest"):
        faults += _target(target, given.seconds)
    print("no fault" if not faults else f"{faults} faults", flush=True)
    return 1 if faults else 0


def _files(rooms: int, most_s: int) -> int:
    started = time.monotonic()
    found = campaign(_until(started + most_s), rooms)
    if time.monotonic() > started + most_s:
        found.faults.append(f"not all files were looked at within {most_s} s")
    outcomes = ", ".join(f"{count} {name}" for name, count in found.outcomes.most_common())
    print(f"{found.files} files, each twice, in {time.monotonic() - started:.0f} s: {outcomes}")
    print(f"slowest: {found.slowest[0]:.1f} s, {found.slowest[1]}")
    print(f"decoders that crashed in their room: {len(found.crashes)}")
    for line in (*found.crashes[:SHOWN], *(f"FAULT {one}" for one in found.faults)):
        print(f"  {line}")
    return len(found.faults)


def _until(end: float) -> Iterator[File]:
    """The corpus is the same every time; a slow machine must not take for ever over it."""
    return takewhile(lambda _: time.monotonic() <= end, whole())


def _target(name: str, seconds: int) -> int:
    if not importlib.util.find_spec("atheris"):
        print(f"fuzz target {name}: not run, since atheris is not installed here")
        return 0
    command = [sys.executable, "-m", "tests.fuzz.targets", name, str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 300, check=False
    )
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    print(f"fuzz target {name}, {seconds} s: {' '.join(runs) or 'ended early'}")
    if done.returncode:
        print(done.stderr[-4000:])
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
