"""The console script `unmask`; each command is a module of its own."""

import typer

from unmask.commands import model
from unmask.commands.card import card
from unmask.commands.compare import compare
from unmask.commands.crossvalidate import crossvalidate
from unmask.commands.evaluate import evaluate
from unmask.commands.faces import faces
from unmask.commands.score import score
from unmask.commands.search import search
from unmask.commands.stills import stills
from unmask.commands.train import train

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.command()(card)
app.command()(compare)
app.command()(crossvalidate)
app.command()(evaluate)
app.command()(faces)
app.command()(score)
app.command()(search)
app.command()(stills)
app.command()(train)
app.add_typer(model.app, name="model")


@app.callback()
def unmask() -> None:
    """The library without queue or database."""


def main() -> None:
    """The console script."""
    app()
