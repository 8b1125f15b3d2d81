"""`unmask evaluate SOURCE`: how good a model is on labelled media, with intervals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from unmask.commands import options
from unmask.commands.told import told

if TYPE_CHECKING:
    from unmask.model.bundle import Bundle

Source = Annotated[
    Path,
    typer.Argument(
        help="a data set in its official layout, a folder with real/ and fake/, a CSV, or tars",
        exists=True,
    ),
]
Model = Annotated[str, typer.Option(help="a bundle's folder, or a shipped one's name")]
Out = Annotated[Path, typer.Option(help="folder for evaluation.html, evaluation.json, items.csv")]
Part = Annotated[
    Literal["train", "validation", "test"] | None,
    typer.Option(help="only who is on this side of the split"),
]
Lengths = Annotated[bool, typer.Option("--lengths", help="accuracy and AUC by window length too")]
Damage = Annotated[
    bool, typer.Option("--robustness", help="after re-encoding, noise, light, attack")
]
Time = Annotated[bool, typer.Option("--time/--no-time", help="what judging frames in order adds")]
Faces = Annotated[bool, typer.Option("--faces", help="show faces of the worst mistakes")]
Fit = Annotated[Path | None, typer.Option(help="write the model here, calibrated to this material")]


def evaluate(
    source: Source,
    *,
    model: Model = "lite",
    out: Out = Path("evaluation"),
    work: options.Clips = None,
    part: Part = None,
    lengths: Lengths = False,
    robustness: Damage = False,
    time: Time = True,
    faces: Faces = False,
    fit: Fit = None,
    device: options.Device = None,
    processes: options.Processes = 1,
) -> None:
    """Print and write what a model is worth on labelled items it never saw."""
    from unmask.model.predict import load
    from unmask.model.shelf import find_bundle
    from unmask.train.evaluation import Wanted
    from unmask.train.evaluation import evaluate as measured
    from unmask.train.fitting import fitted_copy, need_new, promise
    from unmask.train.page import summary, write_report

    wanted = Wanted(
        source=source, work=work or out / "clips", part=part, by_length=lengths,
        robustness=robustness, worth_of_time=time, processes=processes, faces=faces,
    )  # fmt: skip
    with told():
        need_new(fit)
        predictor = load(find_bundle(model), device)
        if part is None and learned_from(predictor.bundle, source):
            typer.echo(
                f"{predictor.bundle.name} learned from data called {source.name}; on people it "
                "has seen figures flatter: --part test measures the others"
            )
        found = measured(wanted, predictor)
        for line in summary(found.report):
            typer.echo(line)
        typer.echo("written: " + ", ".join(map(str, write_report(found, out))))
        if fit is not None:
            fitted_copy(predictor.bundle, found.scored, source.name, fit)
            typer.echo(f"calibrated model: {fit}; {promise(found.scored)}")


def learned_from(bundle: "Bundle", source: Path) -> bool:
    """By the name that training took for the data, if nobody gave another."""
    said = bundle.description.training
    return said is not None and source.name in said.data
