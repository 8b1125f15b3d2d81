"""An evidence sheet: a person's most telling faces, each with time and score, and a chart.

of a film                                of a picture

title                                    title, and what a reviewer has to know
what a reviewer has to know              ▇▇▇▇▇▇ ▇▇▇▇▇▇
▇▇ ▇▇ ▇▇ ▇▇ ▇▇ ▇▇   faces               ▇▇▇▇▇▇ ▇▇▇▇▇▇   face, and with heat
▇▇ ▇▇ ▇▇ ▇▇ ▇▇ ▇▇   with heat
─▁▂▃▂▁─▁▂▁──────   score over time
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from unmask.judgement import Judgement, Logistic
from unmask.model import drawing
from unmask.model.chart import draw_chart
from unmask.model.clips import Frames, PersonFrames
from unmask.model.telling import Moment, most_telling
from unmask.verdict import WindowScore, deciding, lasts
from unmask.wording import percent

#: Faces on a sheet, the side of each, and the space around them.
FACES = 6
SIDE = 152
GAP = 12
#: The side of a picture's only face.
STILL = 304
_CHART = 170
#: Height of a capital letter and the space from line to line: of the title, of the words below it.
_TITLE, _WORDS = (13, 20), (9, 15)
#: Lines that each of them has at most.
_LINES = 2, 4

#: Moments → their faces with heat laid over them.
Heat = Callable[[Sequence[Moment]], list[Frames]]


def evidence_sheet(
    clips: PersonFrames,
    scores: Sequence[WindowScore],
    *,
    title: str = "",
    judgement: Judgement | None = None,
    heat: Heat | None = None,
) -> bytes:
    """A JPEG. With `heat`, it also shows where in each face the model found its reasons.

    `scores` may be of everybody in the file. A picture has no course in time: its sheet ends below
    the face, and is no wider than that.
    """
    own = [score for score in scores if score.person == clips.person]
    moments = most_telling(clips, own, FACES)
    rows = [[moment.face for moment in moments]] + ([heat(moments)] if heat else [])
    cold = len(rows) > 1 and all(map(np.array_equal, *rows))
    rows = rows[:1] if cold else rows
    moves = lasts(scores)
    words = _explained(own, judgement, warm=len(rows) > 1, cold=cold, moves=moves)
    head = _Head(title or f"Person {clips.person + 1}", " ".join(words))
    if not moves:
        return drawing.jpeg(_laid_out(head, [[face for row in rows for face in row]], STILL))
    below = 18 + _CHART
    sheet = _laid_out(head, rows, SIDE, columns=FACES, below=below)
    foot = len(sheet) - _CHART
    for column, moment in enumerate(moments):
        _caption(sheet, moment, _left(column, SIDE), foot - 12, told=_told(own))
    thresholds = judgement.thresholds if judgement else None
    draw_chart(sheet, own, top=foot + 8, height=_CHART - 40, thresholds=thresholds)
    return drawing.jpeg(sheet)


class _Head(NamedTuple):
    title: str
    words: str


def _laid_out(
    head: _Head,
    rows: Sequence[Sequence[Frames]],
    side: int,
    *,
    columns: int = 0,
    below: int = 0,
) -> drawing.Page:
    """A page for so many columns, or for those there are, with room below the faces."""
    width = _left(columns or len(rows[0]), side)
    lines = list(_lines(head, width - 2 * GAP))
    top = lines[-1].foot + 10
    sheet = drawing.page(width, top + len(rows) * (side + GAP) + below)
    for words, foot, px, colour in lines:
        drawing.text(sheet, words, GAP, foot, px=px, colour=colour, width=width - GAP)
    for number, faces in enumerate(rows):
        for column, face in enumerate(faces):
            drawing.picture(sheet, face, _left(column, side), top + number * (side + GAP), side)
    return sheet


class _Line(NamedTuple):
    words: str
    foot: int
    px: int
    colour: drawing.Colour


def _lines(head: _Head, width: int) -> Iterator[_Line]:
    foot = 6
    kinds = zip(head, (_TITLE, _WORDS), _LINES, (drawing.INK, drawing.GREY), strict=True)
    for words, (px, height), most, colour in kinds:
        for line in drawing.wrapped(words, px=px, width=width, most=most):
            foot += height
            yield _Line(line, foot, px, colour)
        foot += 3


def _left(column: int, side: int) -> int:
    return GAP + column * (side + GAP)


def _told(scores: Sequence[WindowScore]) -> Callable[[float], str]:
    """As a probability only where it is one."""
    calibrated = all(score.probability is not None for score in scores)
    return percent if calibrated else "{:.2f}".format


def _explained(
    scores: Sequence[WindowScore],
    judgement: Judgement | None,
    *,
    warm: bool,
    cold: bool,
    moves: bool,
) -> Iterator[str]:
    """What a reviewer has to know of the sheet, sentence by sentence."""
    told, highest = _told(scores), max(map(shown, scores), default=0.0)
    kind = "probability of fake" if told is percent else "raw score, not calibrated"
    yield f"Highest stretch: {told(highest)} ({kind})." if moves else f"{told(highest)}: {kind}."
    if judgement is not None and told is percent:
        yield from rests_on(scores, judgement)
    if moves:
        yield "Below each face: its second, and what it says alone."
    if warm:
        yield f"{'Second row' if moves else 'Beside it'}: warm where the reasons for “fake” lie."
    if cold:
        yield "Nothing in what is shown speaks for “fake”: no heat."


def rests_on(scores: Sequence[WindowScore], judgement: Judgement) -> Iterator[str]:
    """Why a person's verdict is another number than that of any stretch, where there are more."""
    if len(scores) < 2 or judgement.calibration is None:
        return
    sharp = deciding(scores, judgement)
    top, sharpness = judgement.rule.top or len(sharp), judgement.rule.sharpness
    which = (
        "all stretches"
        if top >= len(sharp)
        else f"the {top} highest stretches"
        if top > 1
        else "the highest stretch"
    )
    which += "" if len(sharp) == len(scores) else " that are sharp enough"
    which += ", the higher ones counting more" if sharpness else ""
    which += "" if judgement.calibration.item == Logistic() else ", calibrated once more"
    yield f"The verdict is the mean of {which}."


def _caption(
    sheet: drawing.Page, moment: Moment, x: int, y: int, *, told: Callable[[float], str]
) -> None:
    drawing.text(sheet, f"{moment.time_s:.2f} s", x, y, px=9)
    drawing.text(sheet, told(moment.score), x + SIDE - 40, y, px=9, colour=drawing.ALARM)


def shown(score: WindowScore) -> float:
    """The calibrated probability where there is one."""
    return score.raw if score.probability is None else score.probability
