"""Windows → person → item: what a model's probabilities mean for somebody, somewhere in time."""

from dataclasses import dataclass

from unmask.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class WindowScore:
    """What the model says of one window of one person."""

    person: int
    window: int
    start_s: float
    end_s: float
    frames: int
    #: The network's own softmax for `fake`, in [0, 1].
    raw: float
    #: Calibrated probability of `fake`; None where the bundle holds no calibration.
    probability: float | None = None
    #: Per frame: how telling it is (any scale); as long as `frames`, or empty.
    frame_scores: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of time of one person."""

    start_s: float
    end_s: float
    raw: float
    probability: float | None
    #: The moment of its most telling frame.
    telling_s: float
    #: Object key of the evidence picture, once it is stored.
    evidence: str | None = None


@dataclass(frozen=True, kw_only=True)
class PersonVerdict:
    person: int
    outcome: Outcome
    probability: float | None
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One item's answer. `probability` is None where nothing was calibrated."""

    outcome: Outcome
    reason: str
    probability: float | None
    persons: tuple[PersonVerdict, ...]
    #: Below the first is real, at or above the second is fake, between is unsure.
    thresholds: tuple[float, float] | None = None
