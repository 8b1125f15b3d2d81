"""`unmask stills CROPS --still-model BUNDLE`: should another model judge single pictures?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from unmask.commands import options
from unmask.commands.told import told

Data = Annotated[Path, typer.Argument(help="tars of labelled face crops", exists=True)]
Video = Annotated[str, typer.Option(help="the model that judges videos")]
Still = Annotated[str, typer.Option(help="a model for pictures, as recipe `stills` makes one")]
Out = Annotated[Path, typer.Option(help="folder for stills.json and decoded crops")]
Cache = Annotated[
    Path | None,
    typer.Option(help="where decoded crops are kept for the next time; in OUT if absent"),
]
Side = Annotated[Literal["train", "validation", "test"], typer.Option(help="which groups")]


def stills(
    data: Data,
    *,
    still_model: Still,
    model: Video = "lite",
    out: Out = Path("stills"),
    cache: Cache = None,
    part: Side = "test",
    device: options.Device = None,
) -> None:
    """Frame AUC and false alarms of two models on the same single pictures."""
    from unmask.model.predict import load
    from unmask.model.shelf import find_bundle
    from unmask.train.page import figure, plain
    from unmask.train.variants.stills import contest

    with told():
        video, still = (load(find_bundle(name), device) for name in (model, still_model))
        found = contest(data, cache or out / "cache", part, video=video, still=still)
    typer.echo(f"{found.pictures} pictures, part {part}")
    for predictor, worth in ((video, found.video), (still, found.still)):
        alarms = figure(worth.false_alarms)
        typer.echo(
            f"  {predictor.bundle.name}: auc {figure(worth.auc)}, reals called fake {alarms}"
        )
    typer.echo(f"  gained by {still.bundle.name}: {figure(found.gained)}")
    better = still if found.still_wins else video
    typer.echo(f"stills are better judged by {better.bundle.name}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "stills.json").write_text(json.dumps(plain(asdict(found)), indent=2) + "\n")
    typer.echo(f"written: {out / 'stills.json'}")
