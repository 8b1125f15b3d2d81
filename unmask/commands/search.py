"""`unmask search DATA --space SPACE --out FOLDER`: random search; several machines share one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.commands import options
from unmask.commands.told import told
from unmask.errors import Unusable

if TYPE_CHECKING:
    import optuna

    from unmask.train.recipe import Recipe
    from unmask.train.start import Job

Data = Annotated[
    Path, typer.Argument(help="what `unmask train` takes with the space's recipe", exists=True)
]
Out = Annotated[Path, typer.Option(help="folder for clips, trials, the plot and the best recipe")]
Named = Annotated[str, typer.Option(help="a space's name, or a .json file")]
Storage = Annotated[
    str | None,
    typer.Option(
        envvar="UNMASK_SEARCH_STORAGE", help="SQL address of the trials; in OUT if absent"
    ),
]
Study = Annotated[str, typer.Option(help="machines that name the same one share it")]
Trials = Annotated[int, typer.Option(min=0, help="to add from here; 0 only draws and tells")]

_BEST, _PLOT = "best.json", "search.png"


def search(
    data: Data,
    *,
    out: Out,
    space: Named = "papers",
    storage: Storage = None,
    study: Study = "search",
    trials: Trials = 20,
    trunk_weights: options.TrunkWeights = None,
    epochs: options.Epochs = None,
    device: options.Device = None,
) -> None:
    """Draw recipes from a space, train each, give up the poor ones, name the best."""
    from unmask.train.recipe import changed
    from unmask.train.start import Job
    from unmask.train.variants import search as searching
    from unmask.train.variants.search_plot import draw_study
    from unmask.train.variants.space import find_space, log_scaled, most_frames

    out.mkdir(parents=True, exist_ok=True)
    address = storage or f"sqlite:///{(out / 'search.db').resolve()}"
    wanted = searching.Search(study=study, storage=address, trials=trials)
    with told():
        within = find_space(space)
        base = changed(within.base(), epochs=epochs)
        job = Job(
            data=data, folder=out, recipe=base, trunk_weights=trunk_weights, device=device,
            clips=out / "clips", cut_frames=most_frames(within), say=typer.echo,
        )  # fmt: skip
        with searching.opened(wanted, within, searching.common_of(job)) as shared:
            searching.run(shared, wanted, within, job, _train)
            _told(shared, base, out)
            draw_study(shared, log_scaled(within), out / _PLOT)
    typer.echo(f"written: {out / _BEST}, {out / _PLOT}")


def _told(shared: "optuna.Study", base: "Recipe", out: Path) -> None:
    """Prints the best trial and writes its recipe down."""
    from unmask.train.recipe import written
    from unmask.train.variants.search import best_recipe, finished

    typer.echo(f"{len(shared.trials)} trials in study {shared.study_name}")
    if not finished(shared):
        raise Unusable("no trial came to its end yet, so there is no best one")
    (out / _BEST).write_bytes(written(best_recipe(shared, base, f"{base.name}-best")))
    typer.echo(f"best: AUC {shared.best_value:.4f} in trial {shared.best_trial.number}")
    for name, value in sorted(shared.best_params.items()):
        typer.echo(f"  {name}: {value}")


def _train(job: "Job") -> None:
    """As `unmask train` would, without the bundle."""
    from unmask.train.finish import train_on_pairs
    from unmask.train.material import material_of
    from unmask.train.start_clips import fit_clips

    if job.recipe.learns_from == "clips":
        job.folder.mkdir(parents=True, exist_ok=True)
        fit_clips(job)
        return
    train_on_pairs(job, material_of(job))
