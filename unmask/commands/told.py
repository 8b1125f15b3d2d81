"""How a command refuses: one sentence for a person, a status for a script, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from unmask.errors import Unusable


@contextmanager
def told(*also: type[Exception], status: int = 1) -> Iterator[None]:
    """Whatever is unusable inside, and what is named besides, ends the command."""
    kinds: tuple[type[Exception], ...] = (Unusable, *also)
    try:
        yield
    except kinds as error:
        typer.echo(f"unmask: {error}", err=True)
        raise typer.Exit(status) from error
