"""Plain lines for people: results on standard output, trouble on standard error."""

import typer

from producer.sources import BadLine
from unmask.wording import printable


def say(text: str) -> None:
    typer.echo(text)


def warn(text: str) -> None:
    typer.echo(text, err=True)


def bad_line(line: BadLine) -> None:
    warn(printable(str(line)))
