"""Recipes: everything that decides how weights come about, by name, each a small file."""

import dataclasses
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from unmask.errors import Unusable
from unmask.judgement import STRICT
from unmask.model.description import Colours, Trunk
from unmask.train.pairs import Pairing

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Schedule = Literal["constant", "plateau", "one-cycle"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Recipe:
    """`pairs` trains the trunk on single crops; `clips` trains the whole network on windows."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,51}$")]
    about: str
    learns_from: Literal["pairs", "clips"]
    trunk: Trunk = "mobilenet_v2"
    #: What the network sees of a picture.
    colours: Colours = "rgb"
    #: How many of the trunk's last blocks learn, with what stands behind them; all if absent.
    trained_blocks: Annotated[int, Field(ge=0)] | None = None
    #: A spatial transformer stands behind this block of the trunk, counted from 1.
    transformer_after: Count | None = None
    #: A bundle, by its name or folder, whose maps and margins are learned beside the labels, and
    #: how much that counts.
    teacher: str | None = None
    teaching: Positive = 1.0
    #: How much keeping attention heads apart counts; only a multi-attentional trunk has heads.
    independence: Annotated[float, Field(ge=0)] = 1.0
    #: How clips are cut: by the papers' own preprocessing, as this project scans, or as so many
    #: single `pictures` (`frames` of them) spread over the video, each judged alone.
    clips: Literal["papers", "tight", "pictures"] = "tight"
    #: Width of the LSTM.
    width: Count = 256
    #: Weighs a batch: a softmax over both classes, or a sigmoid for each. After the second a margin
    #: counts its evidence about twice, until the bundle is calibrated.
    loss: Literal["cross-entropy", "binary-cross-entropy"] = "cross-entropy"
    optimiser: Literal["adam", "adamw"] = "adamw"
    rate: Positive = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    schedule: Schedule = "one-cycle"
    #: Pairs in a batch of each process; for `clips`, windows.
    batch: Count = 16
    epochs: Count = 12
    #: Frames of a window; the first so many of a video where the recipe learns from clips.
    frames: Count = 20
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    #: Share that the moving average keeps at each step; 0 keeps none.
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    #: Longest gradient; steeper ones are shortened.
    clip: Positive | None = None
    #: Epochs without a better validation before training stops.
    patience: Count | None = None
    pairing: Pairing = Field(default_factory=Pairing)
    #: After pairs, the LSTM learns from so many pairs of pseudo-sequences, so many times.
    films: Count = 1200
    film_frames: Count = 12
    film_epochs: Count = 8
    seed: Annotated[int, Field(ge=0)] = 1

    def __post_init__(self) -> None:
        if self.teacher is not None and self.learns_from == "clips":
            raise ValueError("`teacher` is for recipes that learn from pairs")
        if self.transformer_after is not None and self.trunk == "multi_attention_b4":
            raise ValueError("`transformer_after` goes into a plain trunk")


_READER = TypeAdapter(Recipe)


def shipped_names() -> list[str]:
    return sorted(
        Path(file.name).stem for file in _shelf().iterdir() if file.name.endswith(".json")
    )


def find_recipe(recipe: str) -> Recipe:
    """By the name of a shipped one, or a file."""
    path = Path(recipe)
    shipped = _shelf() / f"{recipe}.json"
    if path.suffix == ".json" and path.is_file():
        return read_recipe(path.read_bytes(), recipe)
    if shipped.is_file():
        return read_recipe(shipped.read_bytes(), recipe)
    known = ", ".join(shipped_names())
    raise Unusable(f"no recipe `{recipe}`: neither a .json file nor one of: {known}")


def read_recipe(raw: bytes, name: str) -> Recipe:
    try:
        return _READER.validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise Unusable(f"recipe {name}: {where}: {first['msg']}") from error


def written(recipe: Recipe) -> bytes:
    return _READER.dump_json(recipe, indent=2) + b"\n"


def changed(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    frames: int | None = None,
) -> Recipe:
    return dataclasses.replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=recipe.seed if seed is None else seed,
        frames=recipe.frames if frames is None else frames,
    )


def differing(one: Recipe, other: Recipe) -> list[str]:
    """Fields in which two recipes would learn otherwise."""
    own, others = (_READER.dump_python(each, mode="json") for each in (one, other))
    return [name for name, value in own.items() if name != "about" and others[name] != value]


def with_values(recipe: Recipe, values: Mapping[str, object]) -> Recipe:
    """Checked as if they had stood in the file."""
    fields = {**_READER.dump_python(recipe, mode="json"), **values}
    return read_recipe(json.dumps(fields).encode(), recipe.name)


def _shelf() -> Path:
    return Path(str(files("unmask.train"))) / "recipes"
