"""`unmask train DATA --out FOLDER`: learns weights by a recipe; goes on where it stopped."""

from pathlib import Path
from typing import Annotated

import typer

from unmask.errors import Unusable

Data = Annotated[Path, typer.Argument(help="folder with labelled face crops (tars)", exists=True)]
Out = Annotated[Path, typer.Option(help="folder of the run: checkpoints, journal, curves")]
Named = Annotated[str, typer.Option(help="a recipe's name, or a .json file")]
Weights = Annotated[
    str | None, typer.Option(help="`imagenet`, or a file with the trunk's first weights")
]
Epochs = Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")]
Seed = Annotated[int | None, typer.Option(min=0, help="in place of the recipe's")]
Processes = Annotated[int, typer.Option(min=1, help="processes that share each batch")]
Device = Annotated[str | None, typer.Option(help="`cpu`, `cuda` or `cuda:1`")]


def train(
    data: Data,
    *,
    out: Out,
    recipe: Named = "strong",
    trunk_weights: Weights = None,
    epochs: Epochs = None,
    seed: Seed = None,
    processes: Processes = 1,
    device: Device = None,
) -> None:
    """Train on labelled face crops. Run the same command again to go on after a stop."""
    from unmask.spec import ScanSpec
    from unmask.train.recipe import changed, find_recipe
    from unmask.train.start import Job, train_on_pairs

    try:
        chosen = changed(find_recipe(recipe), epochs=epochs, seed=seed)
        job = Job(
            data=data, folder=out, recipe=chosen, trunk_weights=trunk_weights,
            processes=processes, device=device,
        )  # fmt: skip
        train_on_pairs(job, ScanSpec())
    except Unusable as error:
        typer.echo(f"unmask: {error}", err=True)
        raise typer.Exit(1) from error
