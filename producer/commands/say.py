"""Plain lines for people: results on standard output, trouble on standard error."""

import shlex
import sys
from pathlib import Path

import typer

from producer.commands.context import DEFAULT_STATE
from producer.plain import printable
from producer.sources import BadLine


def typed(words: str, state: Path) -> str:
    """The command as it can be typed here, on this ledger."""
    python = Path(sys.executable)
    here = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    where = "" if state == DEFAULT_STATE else f" --state {shlex.quote(str(state))}"
    return f"`{here} -m producer {words}{where}`"


def say(text: str) -> None:
    typer.echo(text)


def warn(text: str) -> None:
    typer.echo(text, err=True)


def bad_line(line: BadLine) -> None:
    warn(printable(str(line)))
