"""`unmask train DATA --out FOLDER`: learns weights by a recipe; goes on where it stopped."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.commands import options
from unmask.commands.told import told
from unmask.errors import Unusable
from unmask.model.bundle import Bundle

if TYPE_CHECKING:
    from unmask.train.recipe import Recipe
    from unmask.train.start import Job

Data = Annotated[
    Path,
    typer.Argument(
        help="labelled videos and pictures; or tars of face crops, where the recipe takes pairs",
        exists=True,
    ),
]
Out = Annotated[Path, typer.Option(help="folder of the run: checkpoints, journal, curves")]
Origin = Annotated[str | None, typer.Option("--from", help="a bundle to go on from")]
Name = Annotated[str | None, typer.Option(help="of the bundle; the recipe's if absent")]
About = Annotated[
    list[str] | None, typer.Option("--data-name", help="what the data is, for its card")
]
Terms = Annotated[str, typer.Option(help="what the weights may be used for")]
Frames = Annotated[
    str | None, typer.Option(help="of a window: a number, or `mean`, that of the videos")
]
Tight = Annotated[bool, typer.Option("--tight/--square", help="how the crops were cut")]


def train(
    data: Data,
    *,
    out: Out,
    recipe: options.Recipe = "strong",
    trunk_weights: options.TrunkWeights = None,
    origin: Origin = None,
    epochs: options.Epochs = None,
    seed: options.Seed = None,
    processes: options.Processes = 1,
    device: options.Device = None,
    name: Name = None,
    data_names: About = None,
    terms: Terms = "those of the data it was trained on",
    tight: Tight = True,
    frames: Frames = None,
) -> None:
    """Train on labelled media. Run the same command again to go on after a stop."""
    from unmask.train.recipe import changed, find_recipe
    from unmask.train.start import Job, check_name

    with told():
        chosen = find_recipe(recipe)
        job = Job(
            data=data, folder=out, trunk_weights=trunk_weights, origin=origin,
            recipe=changed(
                chosen, epochs=epochs, seed=seed, frames=_frames(frames, data, chosen)
            ),
            processes=processes, device=device, name=name,
            data_names=tuple(data_names or (data.name,)), terms=terms, say=typer.echo,
        )  # fmt: skip
        check_name(name)
        bundle = _trained(job, tight)
    typer.echo(f"bundle: {bundle.folder}")


def _frames(asked: str | None, data: Path, recipe: "Recipe") -> int | None:
    """In place of the recipe's; `mean` looks at how long the videos are."""
    if asked is None:
        return None
    if asked != "mean":
        if not asked.isdecimal() or int(asked) < 1:
            raise Unusable(f"--frames takes a number from 1 or `mean`, not `{asked}`")
        return int(asked)
    if recipe.learns_from != "clips" or recipe.clips != "papers":
        raise Unusable(
            "`--frames mean` limits the first frames of a video, and "
            f"recipe {recipe.name} does not take those; name another, as `papers`"
        )
    from unmask.train.sets import find_items
    from unmask.train.variants.mean_length import mean_frames

    found = mean_frames(find_items(data))
    typer.echo(f"the videos have {found} frames in the mean")
    return found


def _trained(job: "Job", tight: bool) -> Bundle:
    """By pairs of crops or by clips of videos, as the recipe says."""
    from unmask.train.finish import finish, train_on_pairs
    from unmask.train.learned_from import learned_from
    from unmask.train.material import material_of
    from unmask.train.runs import finished, open_run
    from unmask.train.start_clips import train_on_clips

    open_run(job.folder, job.recipe, learned_from(job))
    if bundle := finished(job.folder):
        typer.echo("this run came to its end before")
        return bundle
    if job.recipe.learns_from == "clips":
        return train_on_clips(job)
    material = material_of(job, tight=tight)
    train_on_pairs(job, material)
    return finish(job, material)
