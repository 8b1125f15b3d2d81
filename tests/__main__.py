"""`make test`: every check, each by name with its verdict; one that fails fails the whole."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

#: What is tested waits as well as works, so three at once keep two cores busy. No fault of the cut
#: is timed.
CHECKS: dict[str, list[str]] = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "arrows": ["lint-imports"],
    "library, app and services": [
        *("pytest", "-q", "-n", "3", "--dist", "loadfile"),
        *("tests/library", "tests/app", "tests/services"),
    ],
    "end to end, and the cut of the faults": [
        *("pytest", "-q", "-n", "3", "--dist", "loadfile", "-m", "cut or not fault"),
        *("tests/e2e", "tests/chaos"),
    ],
}
#: Beside the others, as it computes on one core for a minute; what it says comes at its end.
BESIDE = {"types": ["mypy", "."]}


def main() -> int:
    with ThreadPoolExecutor() as threads:
        beside = {
            name: threads.submit(passes, name, command, at_once=False)
            for name, command in BESIDE.items()
        }
        failed = [name for name, command in CHECKS.items() if not passes(name, command)]
        failed += [name for name, check in beside.items() if not check.result()]
    print(f"\n{len(CHECKS) + len(BESIDE) - len(failed)} passed, {len(failed)} failed", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def passes(name: str, command: list[str], *, at_once: bool = True) -> bool:
    heading = f"\n── {name}: {' '.join(command)}"
    if at_once:
        print(heading, flush=True)
    started = time.monotonic()
    words = [str(BIN / command[0]), *command[1:]]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=environment(),
        stdout=None if at_once else subprocess.PIPE,
        stderr=None if at_once else subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else f"FAILED (status {done.returncode})"
    said = "" if at_once else f"{heading}\n{done.stdout}"
    print(f"{said}── {name}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)
    return done.returncode == 0


def environment() -> dict[str, str]:
    """The tests' own settings only: what a user has in UNMASK_… is not theirs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("UNMASK_") or name == "UNMASK_DATA"
    }
    # Two runners of tests that both compute on all cores wait for one another.
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "OMP_NUM_THREADS": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
