"""How a bundle turns what its network says into something to act on. Numbers only, no torch."""

import math
from bisect import bisect_right
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

#: What every value that stands in a `model.json` obeys: no unknown field, no silent conversion.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

#: Probabilities are kept this far from 0 and 1 before their log-odds are taken.
EDGE = 1e-6

Share = Annotated[float, Field(ge=0, le=1)]


def log_odds(probability: float) -> float:
    inside = min(max(probability, EDGE), 1 - EDGE)
    return math.log(inside / (1 - inside))


def from_log_odds(value: float) -> float:
    """The logistic function, safe at both ends."""
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Logistic:
    """Temperature (slope = 1/T) and shift, on log-odds. It never turns an order round."""

    kind: Literal["logistic"] = "logistic"
    slope: Annotated[float, Field(gt=0)] = 1.0
    shift: float = 0.0

    def __call__(self, probability: float) -> float:
        return from_log_odds(self.slope * log_odds(probability) + self.shift)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Isotonic:
    """A rising line through knots; flat before the first and after the last."""

    kind: Literal["isotonic"] = "isotonic"
    at: tuple[Share, ...]
    value: tuple[Share, ...]

    def __post_init__(self) -> None:
        if len(self.at) != len(self.value) or len(self.at) < 2:
            raise ValueError("isotonic calibration needs two knots or more, each with a value")
        if list(self.at) != sorted(set(self.at)) or list(self.value) != sorted(self.value):
            raise ValueError("isotonic calibration must rise from knot to knot")

    def __call__(self, probability: float) -> float:
        right = bisect_right(self.at, probability)
        if right in (0, len(self.at)):
            return self.value[0 if right == 0 else -1]
        left = right - 1
        part = (probability - self.at[left]) / (self.at[right] - self.at[left])
        return self.value[left] + part * (self.value[right] - self.value[left])


Curve = Annotated[Logistic | Isotonic, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Calibration:
    """One curve for a window's probability, one for what the rule makes of a person's windows."""

    window: Curve
    item: Curve
    #: Which held-out material it was fitted on, and how many groups that had.
    fitted_on: str = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Thresholds:
    """Below `real` is real, at or above `fake` is fake; between, a person should look."""

    real: Share
    fake: Share
    #: Shares measured on held-out items: real ones called fake, fake ones called real, and
    #: what lands in between of each. They make expected alarms computable.
    real_called_fake: Share
    fake_called_real: Share
    real_unsure: Share
    fake_unsure: Share

    def __post_init__(self) -> None:
        if self.real > self.fake:
            raise ValueError(f"the threshold for real ({self.real}) lies above fake ({self.fake})")
        sums = (self.real_called_fake + self.real_unsure, self.fake_called_real + self.fake_unsure)
        if max(sums) > 1 + EDGE:
            raise ValueError("measured shares of one class add up to more than one")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rule:
    """How a person's windows become one number: a mean over the `top` windows (all without it)."""

    top: Annotated[int, Field(ge=1)] | None = None
    #: How much the higher ones of them count: 0 is their plain mean, a large number nearly their
    #: maximum.
    sharpness: Annotated[float, Field(ge=0, le=100)] = 0.0

    def __call__(self, probabilities: list[float]) -> float:
        """A mean of log-odds: a higher window, or one more at or above it, never lowers it."""
        odds = sorted(map(log_odds, probabilities), reverse=True)[: self.top]
        return from_log_odds(_mean(odds, self.sharpness))


def _mean(values: list[float], sharpness: float) -> float:
    """(1/s) log mean exp(s·v), which is the mean for s → 0 and the maximum for s → ∞."""
    if not sharpness:
        return math.fsum(values) / len(values)
    highest = max(values)
    grown = math.fsum(math.exp(sharpness * (value - highest)) for value in values)
    return highest + math.log(grown / len(values)) / sharpness


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Judgement:
    """Everything a verdict needs to know about the model that gave the scores."""

    untrained: bool
    calibration: Calibration | None = None
    thresholds: Thresholds | None = None
    rule: Rule = Rule()
    #: Fainter faces than this were hardly learned from: nobody is called fake for them.
    least_sharpness: float = 0.0


Band = Literal["low", "unsure", "high"]


def band(probability: float | None, real: float | None, fake: float | None) -> Band | None:
    """Where a probability lies between the thresholds; None where there are none, or no number."""
    if probability is None or real is None or fake is None:
        return None
    if probability >= fake:
        return "high"
    return "low" if probability < real else "unsure"
