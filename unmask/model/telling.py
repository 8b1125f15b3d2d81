"""Which frames of somebody tell most: high scores, and not six times the same moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from unmask.model.clips import Frames, PersonFrames, Window
from unmask.verdict import WindowScore

#: Two frames nearer than this show the same moment, unless there is nothing else.
APART_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One frame of one window, and how telling it is."""

    window: int
    index: int
    time_s: float
    score: float
    face: Frames


def most_telling(clips: PersonFrames, scores: Sequence[WindowScore], most: int = 6) -> list[Moment]:
    """At most `most` moments, in order of time; the window with the highest score is among them."""
    by_number = {score.window: score for score in scores if score.person == clips.person}
    ranked = sorted(
        (moment for window in clips.windows for moment in _moments(window, by_number)),
        key=lambda moment: (-by_number[moment.window].raw, -moment.score, moment.time_s),
    )
    ranked = _spread(ranked)
    return sorted(ranked[:most], key=lambda moment: moment.time_s)


def telling_windows(
    clips: PersonFrames, scores: Sequence[WindowScore], most: int
) -> list[tuple[int, int]]:
    """The windows with the highest scores: the place of each, and of its most telling frame."""
    ranked = sorted(range(len(clips.windows)), key=lambda place: -scores[place].raw)
    return [(place, _telling(scores[place])) for place in sorted(ranked[:most])]


def _telling(score: WindowScore) -> int:
    frames = score.frame_scores
    return max(range(len(frames)), key=frames.__getitem__) if frames else 0


def _moments(window: Window, scores: dict[int, WindowScore]) -> list[Moment]:
    score = scores.get(window.number)
    if score is None:
        return []
    each = score.frame_scores or (score.raw,) * len(window.frames)
    return [
        Moment(window=window.number, index=i, time_s=time, score=each[i], face=window.frames[i])
        for i, time in enumerate(window.times)
    ]


def _spread(ranked: list[Moment]) -> list[Moment]:
    """The same moments, those too near to a better one moved behind the rest."""
    kept: list[Moment] = []
    near: list[Moment] = []
    for moment in ranked:
        crowded = any(abs(moment.time_s - other.time_s) < APART_S for other in kept)
        (near if crowded else kept).append(moment)
    return kept + near
