"""docker-compose.yml without Docker: its services as plain processes on local servers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})")
DURATION = re.compile(r"(\d+)s")


class Unset(Exception):
    """A variable without a default is not set; Compose would stop with these words."""


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in, as Compose does it."""
    made: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text()), variables)
    return made


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case str():
            return VARIABLE.sub(lambda found: _value(found, variables), node)
        case dict():
            return {key: _filled(value, variables) for key, value in node.items()}
        case list():
            return [_filled(value, variables) for value in node]
        case _:
            return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, words = found.groups()
    if name is None:
        return "$"
    if variables.get(name):
        return variables[name]
    if kind == "?":
        raise Unset(words)
    return words or ""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    services: Mapping[str, Any]
    #: What stands for the addresses inside the fleet: `redis:6379` → `127.0.0.1:40001`.
    places: Mapping[str, str]
    #: Ports and the like that two services of one machine can't share.
    here: Mapping[str, str]
    folder: Path

    def environment(self, name: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("UNMASK_")}
        given = {key: str(value) for key, value in self.services[name]["environment"].items()}
        for place, instead in self.places.items():
            given = {key: value.replace(place, instead) for key, value in given.items()}
        # Each container has a temporary folder to itself.
        scratch = {"TMPDIR": str(self.own(name))}
        programs = f"{Path(sys.executable).parent}:{kept['PATH']}"
        marker = {"TEST_MARKER": str(self.folder), "PATH": programs}
        return kept | given | scratch | dict(self.here) | marker

    def own(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def command(self, name: str, *instead: str) -> list[str]:
        words = list(instead) or self.services[name]["command"]
        return ["sh", str(ROOT / "infra" / "docker" / "entrypoint"), *words]

    def run(self, name: str, *instead: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(name, *instead),
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        print(done.stdout, done.stderr)
        return done

    @contextmanager
    def up(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                self.command(name),
                env=self.environment(name),
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(self.grace_s(name))
        finally:
            process.kill()
            process.wait()
            print(f"--- {name}\n{log.read_text(errors='replace')[-4000:]}")

    def grace_s(self, name: str) -> float:
        found = DURATION.fullmatch(self.services[name]["stop_grace_period"])
        assert found, name
        return float(found[1])

    def is_well(self, name: str) -> bool:
        """What the service's own health check says."""
        kind, program, *rest = self.services[name]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "/app/.venv/bin/python")
        done = subprocess.run(
            [sys.executable, *rest],
            env=self.environment(name),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        print(name, done.stdout, done.stderr[-500:])
        return done.returncode == 0

    def is_ill(self, name: str) -> bool:
        return not self.is_well(name)
