"""`make test`: every check, each by name with its verdict; one that fails fails the whole."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

#: A fleet waits more than it works, so two fit two cores. No fault of the cut is timed.
CHECKS: dict[str, list[str]] = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "arrows": ["lint-imports"],
    "types": ["mypy", "."],
    "library, app and services": [
        *("pytest", "-q", "-n", "2", "--dist", "loadfile"),
        *("tests/library", "tests/app", "tests/services"),
    ],
    "end to end": ["pytest", "-q", "-n", "2", "--dist", "loadfile", "tests/e2e"],
    "faults, the cut": ["pytest", "-q", "-n", "2", "-m", "cut", "tests/chaos"],
}


def main() -> int:
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    print(f"\n{len(CHECKS) - len(failed)} passed, {len(failed)} failed", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    print(f"\n── {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    words = [str(BIN / command[0]), *command[1:]]
    done = subprocess.run(words, cwd=ROOT, env=environment(), check=False)
    verdict = "ok" if done.returncode == 0 else f"FAILED (status {done.returncode})"
    print(f"── {name}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)
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
