"""A run's folder: recipe and sources are written down at the start; nothing else goes on in it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from unmask.errors import Unusable
from unmask.model.bundle import Bundle, open_bundle
from unmask.train import saves
from unmask.train.recipe import Recipe, differing, read_recipe, written

RECIPE = "recipe.json"
SOURCES = "learned-from.json"
BUNDLE = "bundle"


def open_run(folder: Path, recipe: Recipe, sources: Mapping[str, str]) -> None:
    """Makes the folder; refused where a run by other values, or of other data, was begun in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path, from_what = folder / RECIPE, folder / SOURCES
    if _begun(folder):
        if path.exists():
            _refuse_another(folder, read_recipe(path.read_bytes(), str(path)), recipe)
        if from_what.exists():
            _refuse_other_sources(folder, json.loads(from_what.read_text()), sources)
    path.write_bytes(written(recipe))
    from_what.write_text(json.dumps(dict(sources), indent=2) + "\n")


def finished(folder: Path) -> Bundle | None:
    """The bundle of a run that came to its end."""
    target = folder / BUNDLE
    return open_bundle(target) if target.exists() else None


def _begun(folder: Path) -> bool:
    return (folder / saves.LAST).exists() or (folder / BUNDLE).exists()


def _refuse_another(folder: Path, before: Recipe, now: Recipe) -> None:
    names = set(differing(before, now))
    if _may_go_on(folder, now):
        names -= {"epochs"}
    if names:
        listed = ", ".join(f"`{name}`" for name in sorted(names))
        raise Unusable(
            f"{folder} holds a run of recipe {before.name} with another {listed}; "
            "put it back, or name another folder"
        )


def _refuse_other_sources(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    for name, value in now.items():
        if before.get(name) != value:
            raise Unusable(
                f"{folder} holds a run of other {name} ({before.get(name)}, now {value}); "
                "put it back, or name another folder"
            )


def _may_go_on(folder: Path, recipe: Recipe) -> bool:
    """A rate that follows the number of epochs would jump if that number changed."""
    return recipe.schedule != "one-cycle" and not (folder / BUNDLE).exists()


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Where the run's bundle is made; it takes its name when all of it is there."""
    part = folder / f"{BUNDLE}.part"
    shutil.rmtree(part, ignore_errors=True)
    yield part
    part.rename(folder / BUNDLE)
