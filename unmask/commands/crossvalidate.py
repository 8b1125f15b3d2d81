"""`unmask crossvalidate DATA`: what training on videos of the same kind would add."""

import json
from pathlib import Path
from typing import Annotated

import typer

from unmask.commands import options
from unmask.commands.told import told

Data = Annotated[
    Path, typer.Argument(help="labelled videos: a data set's folder, or a CSV", exists=True)
]
Out = Annotated[Path, typer.Option(help="folder for clips, checkpoints and the figures")]
Origin = Annotated[str, typer.Option("--from", help="the bundle whose trunk is trained on")]
Folds = Annotated[int, typer.Option(min=2, help="parts; each is scored by a model of the others")]

FIGURES = "crossvalidation.json"


def crossvalidate(
    data: Data,
    *,
    out: Out,
    origin: Origin = "lite",
    recipe: options.Recipe = "fine-tune",
    folds: Folds = 5,
    work: options.Clips = None,
    epochs: options.Epochs = None,
    processes: options.Processes = 1,
    device: options.Device = None,
) -> None:
    """Train on some people's videos, score the others', in turn. Ships nothing."""
    from unmask.model.shelf import find_bundle
    from unmask.train.crossing import cross_validated
    from unmask.train.page import figure, plain
    from unmask.train.recipe import changed, find_recipe
    from unmask.train.start import Job

    with told():
        job = Job(
            data=data, folder=out, origin=origin, processes=processes, device=device,
            recipe=changed(find_recipe(recipe), epochs=epochs),
        )  # fmt: skip
        spec = find_bundle(origin).spec
        found, scored = cross_validated(job, spec, folds=folds, work=work or out / "clips")
    typer.echo(f"{len(scored)} videos, {folds} folds by people")
    for method, row in found.items():
        counts = f"{row['fakes']} fakes, {row['reals']} real"
        typer.echo(f"  {method}: video auc {figure(row['auc'])}, {counts}")
    (out / FIGURES).write_text(json.dumps(plain(found), indent=2) + "\n")
    typer.echo(f"written: {out / FIGURES}")
