"""Options that several commands share, each explained once."""

from pathlib import Path
from typing import Annotated

import typer

Clips = Annotated[Path | None, typer.Option(help="where clips are kept; in OUT if absent")]
Device = Annotated[str | None, typer.Option(help="`cpu`, `cuda` or `cuda:1`; chosen if absent")]
Epochs = Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")]
Processes = Annotated[int, typer.Option(min=1, help="processes that share the work")]
Recipe = Annotated[str, typer.Option(help="a recipe's name, or a .json file")]
Seed = Annotated[int | None, typer.Option(min=0, help="in place of the recipe's")]
TrunkWeights = Annotated[
    str | None, typer.Option(help="the trunk's first weights: `imagenet`, a bundle, or a file")
]
