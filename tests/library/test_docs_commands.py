"""Every `unmask …` that the manual prints can be typed: its command, options and what it needs."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer import core

from unmask.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: A whole line of a block, or a whole phrase between backquotes.
LINE = re.compile(r"^unmask (?P<rest>.*)$", re.MULTILINE)
PHRASE = re.compile(r"(?<!`)`unmask (?P<rest>[^`]*)`(?!`)")


def printed(pattern: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for found in pattern.finditer(page.read_text(encoding="utf-8")):
            words = shlex.split(found["rest"].replace("\n", " "), comments=True)
            yield f"{page.relative_to(ROOT)}: {' '.join(words)}", words


LINES, PHRASES = dict(printed(LINE)), dict(printed(PHRASE))


def command_of(words: list[str]) -> tuple[core.TyperCommand, list[str]]:
    found = typer.main.get_command(app)
    rest = list(words)
    while isinstance(found, core.TyperGroup):
        name = rest.pop(0)
        assert name in found.commands, f"there is no command {name}"
        found = found.commands[name]
    assert isinstance(found, core.TyperCommand)
    return found, rest


def test_there_is_something_to_look_at() -> None:
    assert len(LINES) > 12
    assert len(PHRASES) > 20


@pytest.mark.parametrize("words", LINES.values(), ids=LINES)
def test_a_line_says_all_that_its_command_needs(words: list[str]) -> None:
    command, rest = command_of(words)
    given, left = parsed(command, rest)
    lacking = [p.name for p in command.params if p.required and p.name not in given]
    assert (lacking, left) == ([], [])


@pytest.mark.parametrize("words", PHRASES.values(), ids=PHRASES)
def test_a_phrase_names_options_that_are_there(words: list[str]) -> None:
    if words[0] != "COMMAND":
        command, rest = command_of(words)
        known = {option for each in command.params for option in each.opts + each.secondary_opts}
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}


def parsed(command: core.TyperCommand, words: list[str]) -> tuple[set[str], list[str]]:
    """Names of what is given, and words that nobody takes."""
    context = command.context_class(command, info_name=command.name)
    values, left, _ = command.make_parser(context).parse_args(list(words))
    return {name for name, value in values.items() if value is not None}, left
