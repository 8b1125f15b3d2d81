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

_JUDGING, _LEARNING, _RESEARCH = "Judge media", "Train and measure", "Compare and search"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Judge media, train models and measure them: the library without queue or database.",
)
app.command(rich_help_panel=_JUDGING)(score)
app.command(rich_help_panel=_JUDGING)(faces)
app.add_typer(model.app, name="model", rich_help_panel=_JUDGING)
app.command(rich_help_panel=_LEARNING)(train)
app.command(rich_help_panel=_LEARNING)(evaluate)
app.command(rich_help_panel=_LEARNING)(card)
app.command(rich_help_panel=_RESEARCH)(compare)
app.command(rich_help_panel=_RESEARCH)(crossvalidate)
app.command(rich_help_panel=_RESEARCH)(search)
app.command(rich_help_panel=_RESEARCH)(stills)


@app.callback()
def unmask() -> None:
    """Makes a group of the commands."""


def main() -> None:
    """The console script."""
    app()
