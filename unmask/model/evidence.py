"""An evidence sheet: a person's most telling faces, each with time and score, and a chart."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from unmask.judgement import Thresholds
from unmask.model import drawing
from unmask.model.chart import draw_chart
from unmask.model.clips import Frames, PersonFrames
from unmask.model.telling import Moment, most_telling
from unmask.verdict import WindowScore, lasts
from unmask.wording import percent

#: Faces on a sheet, the side of each, and the space around them.
FACES = 6
SIDE = 152
GAP = 12
_TOP = 54
_CHART = 170
_WIDTH = FACES * (SIDE + GAP) + GAP

#: Moments → their faces with heat laid over them.
Heat = Callable[[Sequence[Moment]], list[Frames]]


def evidence_sheet(
    clips: PersonFrames,
    scores: Sequence[WindowScore],
    *,
    title: str = "",
    thresholds: Thresholds | None = None,
    heat: Heat | None = None,
) -> bytes:
    """A JPEG. With `heat`, a second row shows where in each face the model found its reasons.

    `scores` may be of everybody in the file. A picture has no course in time: its sheet ends below
    the face.
    """
    own = [score for score in scores if score.person == clips.person]
    moments = most_telling(clips, own, FACES)
    rows = [[moment.face for moment in moments]] + ([heat(moments)] if heat else [])
    cold = len(rows) > 1 and all(map(np.array_equal, *rows))
    rows = rows[:1] if cold else rows
    foot = _TOP + len(rows) * (SIDE + GAP) + 18
    moves = lasts(scores)
    sheet = drawing.page(_WIDTH, foot + (_CHART if moves else 0))
    drawing.text(sheet, title or f"Person {clips.person + 1}", GAP, 26, px=13, width=_WIDTH - GAP)
    words = " ".join(_explained(own, warm=len(rows) > 1, cold=cold, moves=moves))
    drawing.text(sheet, words, GAP, 44, px=9, colour=drawing.GREY)
    for number, faces in enumerate(rows):
        for column, face in enumerate(faces):
            drawing.picture(sheet, face, _left(column), _TOP + number * (SIDE + GAP), SIDE)
    for column, moment in enumerate(moments):
        _caption(sheet, moment, _left(column), foot - 12, told=_told(own), moves=moves)
    if moves:
        draw_chart(sheet, own, top=foot + 8, height=_CHART - 40, thresholds=thresholds)
    return drawing.jpeg(sheet)


def _left(column: int) -> int:
    return GAP + column * (SIDE + GAP)


def _told(scores: Sequence[WindowScore]) -> Callable[[float], str]:
    """As a probability only where it is one."""
    calibrated = all(score.probability is not None for score in scores)
    return percent if calibrated else "{:.2f}".format


def _explained(
    scores: Sequence[WindowScore], *, warm: bool, cold: bool, moves: bool
) -> Iterator[str]:
    """What a reviewer has to know of the sheet, sentence by sentence."""
    told, highest = _told(scores), max(map(shown, scores), default=0.0)
    kind = "probability of fake" if told is percent else "raw score, not calibrated"
    yield f"Highest{' stretch' if moves else ''}: {told(highest)} ({kind})."
    if moves:
        yield "Below each face: its second, and what it says alone."
    if warm:
        yield "Second row: warm where the reasons for “fake” lie."
    if cold:
        yield "Nothing in what is shown speaks for “fake”: no heat."


def _caption(
    sheet: drawing.Page,
    moment: Moment,
    x: int,
    y: int,
    *,
    told: Callable[[float], str],
    moves: bool,
) -> None:
    """A picture has no second."""
    if moves:
        drawing.text(sheet, f"{moment.time_s:.2f} s", x, y, px=9)
    drawing.text(sheet, told(moment.score), x + SIDE - 40, y, px=9, colour=drawing.ALARM)


def shown(score: WindowScore) -> float:
    """The calibrated probability where there is one."""
    return score.raw if score.probability is None else score.probability
