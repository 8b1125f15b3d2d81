"""`unmask crossvalidate DATA`: what training on videos of the same kind would add."""

import json
from pathlib import Path
from typing import Annotated

import typer

from unmask.errors import Unusable

Data = Annotated[
    Path, typer.Argument(help="labelled videos: a data set's folder, or a CSV", exists=True)
]
Out = Annotated[Path, typer.Option(help="folder for clips, checkpoints and the figures")]
Origin = Annotated[str, typer.Option("--from", help="the bundle whose trunk is trained on")]
Named = Annotated[str, typer.Option(help="a recipe's name, or a .json file")]
Folds = Annotated[int, typer.Option(min=2, help="parts; each is scored by a model of the others")]
Work = Annotated[Path | None, typer.Option(help="where clips are kept; in OUT if absent")]
Epochs = Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")]
Processes = Annotated[int, typer.Option(min=1, help="processes that share the work")]
Device = Annotated[str | None, typer.Option(help="`cpu`, `cuda` or `cuda:1`")]

FIGURES = "crossvalidation.json"


def crossvalidate(
    data: Data,
    *,
    out: Out,
    origin: Origin = "lite",
    recipe: Named = "fine-tune",
    folds: Folds = 5,
    work: Work = None,
    epochs: Epochs = None,
    processes: Processes = 1,
    device: Device = None,
) -> None:
    """Train on some people's videos, score the others', in turn. Ships nothing."""
    from unmask.model.shelf import find_bundle
    from unmask.train.crossing import cross_validated
    from unmask.train.page import figure, plain
    from unmask.train.recipe import changed, find_recipe
    from unmask.train.start import Job

    try:
        job = Job(
            data=data, folder=out, origin=origin, processes=processes, device=device,
            recipe=changed(find_recipe(recipe), epochs=epochs),
        )  # fmt: skip
        spec = find_bundle(origin).spec
        found, scored = cross_validated(job, spec, folds=folds, work=work or out / "clips")
    except Unusable as error:
        typer.echo(f"unmask: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{len(scored)} videos, {folds} folds by people")
    for method, row in found.items():
        counts = f"{row['fakes']} fakes, {row['reals']} real"
        typer.echo(f"  {method}: video auc {figure(row['auc'])}, {counts}")
    (out / FIGURES).write_text(json.dumps(plain(found), indent=2) + "\n")
    typer.echo(f"written: {out / FIGURES}")
