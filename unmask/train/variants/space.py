"""A search space: a recipe, and what of it may vary within which bounds.

{"recipe": "papers", "values": {
    "rate": {"low": 1e-6, "high": 1e-3, "log": true},
    "dropout": {"low": 0.1, "high": 0.6},
    "width": {"choices": [256, 512, 2048]}}}
"""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from unmask.errors import Unusable
from unmask.judgement import STRICT
from unmask.train.recipe import Recipe, find_recipe, with_values

Value = int | float | str | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Span:
    """All numbers between two; whole ones where both ends are whole."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("`low` must lie below `high`, and above 0 on a log scale")
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Choice:
    choices: Annotated[tuple[Value, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Space:
    recipe: str
    values: Annotated[dict[str, Span | Choice], Field(min_length=1)]

    def base(self) -> Recipe:
        """Both ends of every span must make a recipe, or trials would fail one by one."""
        recipe = find_recipe(self.recipe)
        for name, span in self.values.items():
            ends = (span.low, span.high) if isinstance(span, Span) else span.choices
            for end in ends:
                with_values(recipe, {name: end})
        return recipe


_READER = TypeAdapter(Space)


def find_space(space: str) -> Space:
    """By the name of a shipped one, or a file."""
    shelf = Path(str(files("unmask.train.variants"))) / "spaces"
    path = Path(space) if space.endswith(".json") else shelf / f"{space}.json"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in shelf.glob("*.json")))
        raise Unusable(f"no space `{space}`: neither a .json file nor one of: {known}")
    try:
        return _READER.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise Unusable(f"space {space}: {where}: {first['msg']}") from error


def most_frames(space: Space) -> int:
    """The longest clip that a trial may ask for; 0 where none varies it."""
    span = space.values.get("frames", Choice(choices=(0,)))
    ends = (span.high,) if isinstance(span, Span) else span.choices
    return max(int(each or 0) for each in ends)


def log_scaled(space: Space) -> frozenset[str]:
    spans = space.values.items()
    return frozenset(name for name, span in spans if isinstance(span, Span) and span.log)


def written(space: Space) -> str:
    return _READER.dump_json(space).decode()
