"""Real processes on a state folder of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import of_marker

ROOT = Path(__file__).resolve().parents[2]

#: A scan of a handful of items, on two slow cores, with everything to load.
SCAN_WITHIN_S = 240


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A checkout seen as a user sees it: a command line, a state folder, results."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def marker(self) -> str:
        """Stands in the environment of every process that belongs to this test."""
        return str(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
        return kept | {"TEST_MARKER": self.marker, "PYTHONUNBUFFERED": "1"} | dict(self.extra)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "producer", *arguments, "--state", str(self.state)]

    def run(
        self, *arguments: str, stdin: bytes = b"", within_s: float = SCAN_WITHIN_S
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            input=stdin.decode(),
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        print(done.stdout, done.stderr, sep="\n")
        return done

    def scan(
        self, media: str | Path, *options: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        return self.run("scan", str(media), "--out", str(self.results), *options, stdin=stdin)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        with (self.folder / "stdout").open("w") as out, (self.folder / "stderr").open("w") as err:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )


def results(bench: Bench) -> list[dict[str, Any]]:
    lines = (bench.results / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Bench]:
    """SQLite and a folder: the one-machine default."""
    bench = Bench(folder=tmp_path)
    yield bench
    left = of_marker(bench.marker)
    for process in left:
        process.kill()
    assert not left, f"processes left behind: {[process.command for process in left]}"
