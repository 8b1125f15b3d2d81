"""Windows → person → item: what a model's probabilities mean for somebody, somewhere in time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from unmask.judgement import Band, Judgement, Thresholds, band
from unmask.outcomes import Outcome
from unmask.wording import likely


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
    #: When its most telling frame was; without it, the frames are taken as evenly spaced.
    telling_s: float | None = None
    #: Of its middle frame by sharpness; None where nobody measured.
    sharpness: float | None = None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of time of one person."""

    start_s: float
    end_s: float
    raw: float
    probability: float | None
    #: The moment of its most telling frame.
    telling_s: float
    #: Object key of the evidence picture, once it is stored, and of the same face with heat.
    evidence: str | None = None
    heat: str | None = None
    #: Where there is heat: what each frame of it says alone.
    frame_scores: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PersonVerdict:
    #: Counted from 1, as people are told; manifests and clip keys count from 0.
    person: int
    outcome: Outcome
    probability: float | None
    segments: tuple[Segment, ...]
    #: Never seen sharply enough for this model: such a person is `unsure` at most.
    blurred: bool = False

    @property
    def index(self) -> int:
        """The person's place in the manifest."""
        return self.person - 1


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One item's answer. `probability` is None where nothing was calibrated."""

    outcome: Outcome
    reason: str
    probability: float | None
    persons: tuple[PersonVerdict, ...]
    #: Below the first is real, at or above the second is fake, between is unsure.
    thresholds: tuple[float, float] | None = None


UNTRAINED = "untrained model"


def lasts(seen: Iterable[WindowScore | Segment]) -> bool:
    """Whether there is more than one moment to name; a picture is one.

    Windows of one frame have no length of their own, but a film has several of them.
    """
    moments = [(each.start_s, each.end_s) for each in seen]
    return len({moment for pair in moments for moment in pair}) > 1


_OUTCOMES: Mapping[Band | None, Outcome] = {
    "low": Outcome.REAL,
    "unsure": Outcome.UNSURE,
    "high": Outcome.FAKE,
    None: Outcome.UNSURE,
}

#: From the least suspicious.
_RISING = (Outcome.REAL, Outcome.UNSURE, Outcome.FAKE)


def judge(scores: Sequence[WindowScore], judgement: Judgement) -> Verdict:
    """One answer for the item: that of the person most likely manipulated.

    Raising any window, or adding one at or above its person's score, never lowers the item's
    outcome in real < unsure < fake, nor its probability. Windows too blurred for the model count
    only for somebody who was never seen better. Nobody is called fake for them, but who is not low
    enough in them for `real` keeps the item from it. The probability is that of those seen sharply;
    only where there are none it is of the others, until somebody is seen sharply.
    """
    if not scores:
        raise ValueError("a verdict needs at least one scored window")
    by_person = groupby(sorted(scores, key=_order), key=lambda score: score.person)
    persons = tuple(_person(person, list(windows), judgement) for person, windows in by_person)
    worst = max(persons, key=_suspicion)
    known = max([who for who in persons if not who.blurred] or persons, key=_suspicion)
    return Verdict(
        outcome=worst.outcome,
        reason=_reason(worst, judgement, timed=lasts(scores)),
        probability=known.probability,
        persons=persons,
        thresholds=_pair(judgement.thresholds),
    )


def _order(score: WindowScore) -> tuple[int, float, int]:
    return score.person, score.start_s, score.window


def _person(person: int, windows: list[WindowScore], judgement: Judgement) -> PersonVerdict:
    sharp = [window for window in windows if not _is_blurred(window, judgement)]
    probability = _probability(sharp or windows, judgement)
    outcome = _outcome(probability, judgement.thresholds)
    return PersonVerdict(
        person=person + 1,
        outcome=outcome if sharp or outcome is Outcome.REAL else Outcome.UNSURE,
        probability=probability,
        segments=tuple(_segment(window, judgement) for window in windows),
        blurred=not sharp,
    )


def deciding(scores: Sequence[WindowScore], judgement: Judgement) -> list[WindowScore]:
    """The windows that a probability rests on: the sharp ones, or else all."""
    sharp = [window for window in scores if not _is_blurred(window, judgement)]
    return sharp or list(scores)


def _is_blurred(window: WindowScore, judgement: Judgement) -> bool:
    return window.sharpness is not None and window.sharpness < judgement.least_sharpness


def _probability(windows: list[WindowScore], judgement: Judgement) -> float | None:
    """Calibrated, or nothing: what was never calibrated is no probability."""
    if judgement.untrained or judgement.calibration is None:
        return None
    calibrated = [judgement.calibration.window(window.raw) for window in windows]
    return judgement.calibration.item(judgement.rule(calibrated))


def _segment(window: WindowScore, judgement: Judgement) -> Segment:
    return Segment(
        start_s=window.start_s,
        end_s=window.end_s,
        raw=window.raw,
        probability=_probability_of_window(window, judgement),
        telling_s=_telling(window),
    )


def _probability_of_window(window: WindowScore, judgement: Judgement) -> float | None:
    if judgement.untrained or judgement.calibration is None:
        return None
    return judgement.calibration.window(window.raw)


def _telling(window: WindowScore) -> float:
    if window.telling_s is not None:
        return window.telling_s
    if len(window.frame_scores) < 2:
        return window.start_s
    frame = max(range(len(window.frame_scores)), key=window.frame_scores.__getitem__)
    part = frame / (len(window.frame_scores) - 1)
    return window.start_s + part * (window.end_s - window.start_s)


def _outcome(probability: float | None, thresholds: Thresholds | None) -> Outcome:
    real, fake = _pair(thresholds) or (None, None)
    return _OUTCOMES[band(probability, real, fake)]


def _suspicion(person: PersonVerdict) -> tuple[int, float, float]:
    """By outcome, then by probability; where nothing is calibrated, by what the network says."""
    raw = max(segment.raw for segment in person.segments)
    probability = -1.0 if person.probability is None else person.probability
    return _RISING.index(person.outcome), probability, raw


def _pair(thresholds: Thresholds | None) -> tuple[float, float] | None:
    return None if thresholds is None else (thresholds.real, thresholds.fake)


def _reason(worst: PersonVerdict, judgement: Judgement, *, timed: bool) -> str:
    telling = max(worst.segments, key=lambda segment: segment.raw)
    if judgement.untrained:
        return UNTRAINED
    if worst.probability is None:
        return f"model without calibration: raw score {telling.raw:.3f}"
    said = f"person {worst.person}: {likely(worst.probability)}"
    at = f"{telling.telling_s:.1f} s" if timed else ""
    if worst.blurred and worst.outcome is Outcome.UNSURE:
        return f"{said}, but too blurred to conclude anything{_look(at)}"
    if judgement.thresholds is None:
        return f"{said}; model without thresholds"
    return said + _clause(worst.outcome, at) + (", seen only blurred" if worst.blurred else "")


def _clause(outcome: Outcome, at: str) -> str:
    """A picture has no moment to name."""
    match outcome:
        case Outcome.FAKE:
            return f", most telling at {at}" if at else ""
        case Outcome.UNSURE:
            return f", too close to call{_look(at)}"
        case _:
            return ", highest of all people seen"


def _look(at: str) -> str:
    return f"; look at {at}" if at else ""
