"""`unmask model`: what a bundle is, whether it can be trusted, and bundles from old files."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from unmask.commands import options
from unmask.commands.told import told
from unmask.model.alarms import Alarms, expected_alarms
from unmask.model.bundle import Bundle
from unmask.model.description import KINDS, Description, Judged
from unmask.model.shelf import find_bundle
from unmask.wording import printable

app = typer.Typer(no_args_is_help=True, help="Look at, check and convert models.")

Named = Annotated[str, typer.Argument(help="a bundle's folder, or a shipped one's name")]
Rate = Annotated[
    float, typer.Option(min=0, max=1, help="which share of your items is fake, at a guess")
]
Source = Annotated[Path, typer.Argument(help="a checkpoint of the ResNeXt + LSTM family (.pt)")]
Target = Annotated[Path, typer.Argument(help="folder for the bundle, new or empty")]
Mode = Annotated[
    Literal["origin-last", "origin-mean", "temporal"],
    typer.Option(help="as the web app reads it, as the notebook does, or over time"),
]
#: Frames of a window, as `unmask.model.legacy` bounds them, which needs torch.
Length = Annotated[
    int | None, typer.Option(min=1, max=1000, help="window length, if the file name lacks it")
]
Scores = Annotated[
    Path, typer.Argument(help="lines of `unmask score --json`, each with `fake` (and `group`)")
]
Share = Annotated[float, typer.Option(min=0.01, max=0.99, help="how much the other's word counts")]
On = Annotated[
    Literal["pictures", "films", "both"], typer.Option(help="what the other is asked about")
]
Encoding = Annotated[Literal["fp32", "bf16", "int8"], typer.Option(help="of the stored weights")]


@app.command()
def inspect(model: Named, base_rate: Rate = 0.01) -> None:
    """Print what a model's description says, and the alarms to expect from it."""
    with told():
        bundle = find_bundle(model)
    told_of = facts(bundle)
    if bundle.thresholds is not None:
        alarms = expected_alarms(bundle.thresholds, base_rate=base_rate)
        told_of["of 10,000 items"] = _sentence(alarms, base_rate)
    width = max(map(len, told_of))
    for name, value in told_of.items():
        # Whole, however narrow the terminal is: a digest is there to be copied.
        typer.echo(f"{name:{width}}  {printable(value)}".rstrip())


@app.command()
def verify(model: Named, device: options.Device = None) -> None:
    """Check a model's digests and tensors, and that this machine scores its golden clip right."""
    from unmask.model.predict import load

    with told():
        bundle = find_bundle(model)
        predictor = load(bundle, device)
        predictor.self_test()
    tested = "golden clip right" if bundle.golden else "no golden clip to test with"
    typer.echo(f"{bundle.name}: weights whole, {tested} on {predictor.device}")


@app.command()
def convert(
    source: Source,
    target: Target,
    mode: Mode = "origin-last",
    frames: Length = None,
    encoding: Encoding = "fp32",
) -> None:
    """Make a bundle from an old checkpoint. Nothing in the file is run."""
    from unmask.model.legacy import convert as converted

    with told(OSError):
        bundle = converted(source, target, mode=mode, frames=frames, encoding=encoding)
    typer.echo(f"{target}: {bundle.name}, {mode}, windows of {bundle.spec.frames} frames")


@app.command()
def encode(model: Named, target: Target, encoding: Encoding = "int8") -> None:
    """Write a model anew with its weights stored otherwise: `int8` takes a quarter of the space."""
    from unmask.model.predict import build
    from unmask.model.write import stored_others, write_bundle

    with told(OSError):
        bundle = find_bundle(model)
        state, others = build(bundle).state_dict(), stored_others(bundle, encoding)
        written = write_bundle(target, bundle.description, state, encoding, others)
    size = sum(file.stat().st_size for file in target.iterdir())
    typer.echo(f"{target}: {written.name} in {encoding}, {size / 1e6:.1f} MB")


@app.command()
def second(
    model: Named,
    other: Named,
    target: Target,
    *,
    on: On = "pictures",
    share: Share = 0.35,
    encoding: Encoding = "int8",
) -> None:
    """Make a model ask another one too. Calibrate it then: `unmask evaluate … --fit`."""
    from unmask.model.write import with_opinion

    about = KINDS if on == "both" else (on,)
    with told(OSError):
        first, asked = find_bundle(model), find_bundle(other)
        made = with_opinion(target, first, asked, on=about, share=share, encoding=encoding)
    which = " and ".join(about)
    typer.echo(f"{target}: {made.name}, which asks {asked.name} about {which}; not calibrated")


@app.command()
def rule(scores: Scores) -> None:
    """Compare rules that make windows a verdict, on labelled scores; name the one to use."""
    from unmask.train.rules import choose, compare, read_labelled

    with told(OSError):
        items = read_labelled(scores)
    found = compare(items)
    best = choose(found)
    table = Table("rule", "AUC on held-out groups", "below the best", "±", box=None)
    for each in found:
        mark = " ←" if each is best else ""
        numbers = (f"{each.auc:.4f}", f"{each.below:.4f}", f"{each.error:.4f}{mark}")
        table.add_row(each.name, *numbers)
    Console(soft_wrap=True).print(table, highlight=False)
    rule_of_best = {"top": best.rule.top, "sharpness": best.rule.sharpness}
    typer.echo(f'{len(items)} items; in model.json: "rule": {json.dumps(rule_of_best)}')


def facts(bundle: Bundle) -> dict[str, str]:
    said, built = bundle.description, bundle.architecture
    return {
        "name": said.name,
        "about": said.about,
        "digest": bundle.digest,
        "untrained": "yes: it judges nothing" if said.untrained else "no",
        "network": f"{built.trunk}, LSTM of {built.width}, {built.mode}, pooling {built.pooling}",
        "on pictures": _looks(said) + _asked(said, "pictures"),
        "on films": "looked at once" + _asked(said, "films"),
        "weights": said.weights.encoding,
        "pixels": f"{said.spec.size}x{said.spec.size} {said.colours}",
        "scan spec": f"{said.spec.name} ({said.spec.digest}), windows of {said.spec.frames} frames",
        "calibration": said.calibration.fitted_on or "yes" if said.calibration else "none",
        "thresholds": (
            f"real below {said.thresholds.real:.4g}, fake from {said.thresholds.fake:.4g}"
            if said.thresholds
            else "none: every item is unsure"
        ),
        "trained on": ", ".join(said.training.data) if said.training else "nothing",
        "terms": said.training.terms if said.training else "",
    }


def _looks(said: Description) -> str:
    looks = 1 + len(said.looks)
    return f"looked at {looks} times" if looks > 1 else "looked at once"


def _asked(said: Description, kind: Judged) -> str:
    return "".join(
        f"; another opinion, {opinion.architecture.trunk} seeing {opinion.colours}, "
        f"counts {opinion.share:.0%}"
        for opinion in said.opinions
        if kind in opinion.on
    )


def _sentence(alarms: Alarms, base_rate: float) -> str:
    return (
        f"if {base_rate:.1%} are fake: {alarms.false_alarms:.0f} false alarms, "
        f"{alarms.misses:.0f} fakes missed, {alarms.unsure:.0f} for a person to look at"
    )
