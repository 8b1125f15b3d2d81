"""Every `docker compose …` that is printed names services that are there and that it reaches."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
PAGES = [FILE, ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: A whole line of a block or of the head of the file, or a phrase between backquotes.
LINE = re.compile(r"^(?:#   )?docker compose (?P<rest>.+)$", re.MULTILINE)
PHRASE = re.compile(r"(?<!`)`docker compose (?P<rest>[^`]+)`(?!`)")
#: In the head of the file a remark stands two spaces after the command.
REMARK = re.compile(r"\s{2,}\S.*| # .*")
SCALE = re.compile(r"([a-z-]+)=\d+")
#: What a command takes besides services: `exec` and `run` one service and then words of its own.
ONE_SERVICE = {"exec", "run"}
SERVICES = {"build", "config", "logs", "ps", "restart", "start", "stop", "up"}
#: `run` starts a service whose profile nobody asked for.
REGARDLESS = {"run"}


def printed() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in (*LINE.finditer(text), *PHRASE.finditer(text)):
            words = shlex.split(REMARK.sub("", found["rest"].replace("\n", " ")))
            yield f"{page.relative_to(ROOT)}: {' '.join(words)}", words


COMMANDS = dict(printed())


def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return read


def profile_of_the_example() -> str:
    (found,) = re.findall(
        r"^COMPOSE_PROFILES=(\w+)$", (ROOT / ".env.example").read_text(), re.MULTILINE
    )
    return str(found)


def named(verb: str, words: list[str]) -> set[str]:
    scaled = {found[1] for word in words if (found := SCALE.fullmatch(word))}
    plain = [word for word in words if not word.startswith("-") and not SCALE.fullmatch(word)]
    return scaled | set(plain[:1] if verb in ONE_SERVICE else plain)


def test_there_is_something_to_look_at() -> None:
    assert len(COMMANDS) > 15
    assert {words[0] for words in COMMANDS.values()} >= {"build", "exec", "run", "stop", "up"}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_printed_command_reaches_what_it_names(words: list[str]) -> None:
    verb, *rest = words
    assert verb in ONE_SERVICE | SERVICES, "the profile stands in .env, so that none is forgotten"
    known = services()
    for name in named(verb, rest):
        profiles = known[name].get("profiles")
        assert profiles is None or verb in REGARDLESS or profile_of_the_example() in profiles


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_profile_has_one_classifier(profile: str) -> None:
    started = {
        name for name, one in services().items() if profile in one.get("profiles", [profile])
    }
    assert len(started & {"gpu-worker", "gpu-worker-on-cpu"}) == 1
    assert {"cpu-worker", "sweep", "migrate", "redis", "postgres", "s3"} <= started


def test_the_profile_of_the_example_is_one_of_them() -> None:
    assert profile_of_the_example() in {"cpu", "gpu"}
