"""`unmask compare DATA --out FOLDER`: the papers' four configurations in one table."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from unmask.commands import options
from unmask.commands.told import told
from unmask.errors import Unusable

if TYPE_CHECKING:
    from unmask.model.bundle import Bundle
    from unmask.train.recipe import Recipe
    from unmask.train.variants.comparing import Row

Data = Annotated[
    Path, typer.Argument(help="labelled videos: a data set's folder, a CSV, a mix", exists=True)
]
Out = Annotated[Path, typer.Option(help="folder for clips, checkpoints, bundles and the table")]
Named = Annotated[str, typer.Option(help="a recipe's name or file; the four change its trunk")]
Trunk = Annotated[str | None, typer.Option(help="in place of the recipe's")]
Also = Annotated[
    list[str] | None, typer.Option("--also", help="a further recipe as a row of its own")
]


Beside = Annotated[
    list[str] | None,
    typer.Option("--beside", help="a finished bundle, measured on the same videos, as a row"),
]


def compare(
    data: Data,
    *,
    out: Out,
    recipe: Named = "configurations",
    trunk: Trunk = None,
    also: Also = None,
    beside: Beside = None,
    trunk_weights: options.TrunkWeights = None,
    epochs: options.Epochs = None,
    seed: options.Seed = None,
    processes: options.Processes = 1,
    device: options.Device = None,
) -> None:
    """Train each configuration on the same clips; print its accuracy on all three parts."""
    from unmask.model.shelf import find_bundle
    from unmask.train.page import plain
    from unmask.train.recipe import changed
    from unmask.train.start import Job
    from unmask.train.variants import comparing

    with told():
        bundles = [find_bundle(each) for each in beside or []]
        rows = _recipes(recipe, trunk, also or [], partial(changed, epochs=epochs, seed=seed))
        _check_names([*rows, *(bundle.name for bundle in bundles)])
        job = Job(
            data=data, folder=out, recipe=next(iter(rows.values())), processes=processes,
            trunk_weights=trunk_weights, device=device, data_names=(data.name,), say=typer.echo,
        )  # fmt: skip
        _warn(bundles, data)
        found = dict(comparing.compared(job, rows)) | dict(comparing.beside(job, bundles))
    written = comparing.written_to(out)
    rows_there = {
        name: {part: each._asdict() for part, each in row.items()} for name, row in found.items()
    }
    written.write_text(json.dumps(plain(rows_there), indent=2) + "\n")
    _print(found)
    typer.echo(f"written: {written}")


def _recipes(
    named: str, trunk: str | None, also: list[str], change: Callable[["Recipe"], "Recipe"]
) -> dict[str, "Recipe"]:
    from unmask.train.recipe import find_recipe, with_values
    from unmask.train.variants.configurations import configurations

    first = change(find_recipe(named))
    rows = configurations(with_values(first, {"trunk": trunk}) if trunk else first)
    others = [change(find_recipe(each)) for each in also]
    _check([*rows.values(), *others])
    return rows | {each.name: each for each in others}


def _check(recipes: "list[Recipe]") -> None:
    for recipe in recipes:
        if recipe.learns_from != "clips":
            raise Unusable(f"only recipes that learn from clips can be compared, not {recipe.name}")
    _check_names([recipe.name for recipe in recipes])


def _check_names(names: list[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise Unusable(f"two rows would be called {name}; give one another `name`")


def _warn(bundles: "list[Bundle]", data: Path) -> None:
    """A run on this data by other sides would have seen who is held out here."""
    for bundle in bundles:
        said = bundle.description.training
        if said is not None and data.name in said.data:
            typer.echo(
                f"{bundle.name} learned from data called {data.name}; where its sides were others "
                "than these, it has seen people of the test part"
            )


def _print(rows: dict[str, "Row"]) -> None:
    from unmask.train.page import figure

    table = Table("accuracy of videos", *next(iter(rows.values())), box=None)
    for name, row in rows.items():
        cells = (f"{figure(each.accuracy)} of {each.videos}" for each in row.values())
        table.add_row(name, *cells)
    Console(soft_wrap=True).print(table, highlight=False)
