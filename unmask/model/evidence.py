"""An evidence sheet: a person's most telling faces, each with time and score, and a chart."""

from collections.abc import Callable, Sequence

from unmask.judgement import Thresholds
from unmask.model import drawing
from unmask.model.chart import draw_chart
from unmask.model.clips import Frames, PersonFrames
from unmask.model.telling import Moment, most_telling
from unmask.verdict import WindowScore
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
    """A JPEG. With `heat`, a second row shows where in each face the model found its reasons."""
    own = [score for score in scores if score.person == clips.person]
    moments = most_telling(clips, own, FACES)
    rows = [[moment.face for moment in moments]] + ([heat(moments)] if heat else [])
    foot = _TOP + len(rows) * (SIDE + GAP) + 18
    sheet = drawing.page(_WIDTH, foot + _CHART)
    _headline(sheet, own, title or f"Person {clips.person + 1}", warm=heat is not None)
    for number, faces in enumerate(rows):
        for column, face in enumerate(faces):
            drawing.picture(sheet, face, _left(column), _TOP + number * (SIDE + GAP), SIDE)
    for column, moment in enumerate(moments):
        _caption(sheet, moment, _left(column), foot - 12)
    draw_chart(sheet, own, top=foot + 8, height=_CHART - 40, thresholds=thresholds)
    return drawing.jpeg(sheet)


def _left(column: int) -> int:
    return GAP + column * (SIDE + GAP)


def _headline(
    sheet: drawing.Page, scores: Sequence[WindowScore], title: str, *, warm: bool
) -> None:
    highest = max((shown(score) for score in scores), default=0.0)
    drawing.text(sheet, title, GAP, 26, px=13)
    calibrated = all(score.probability is not None for score in scores)
    kind = "probability of fake" if calibrated else "raw score, not calibrated"
    highest_of_all = percent(highest) if calibrated else f"{highest:.2f}"
    words = f"Highest stretch: {highest_of_all} ({kind}). Most telling frames, second and score."
    if warm:
        words += " Second row: warm where the reasons for “fake” lie in that face."
    drawing.text(sheet, words, GAP, 44, px=9, colour=drawing.GREY)


def _caption(sheet: drawing.Page, moment: Moment, x: int, y: int) -> None:
    drawing.text(sheet, f"{moment.time_s:.2f} s", x, y, px=9)
    drawing.text(sheet, f"{moment.score:.2f}", x + SIDE - 36, y, px=9, colour=drawing.ALARM)


def shown(score: WindowScore) -> float:
    """The calibrated probability where there is one."""
    return score.raw if score.probability is None else score.probability
