"""Score over time: each frame as a thin line, each window as a bar, the thresholds dashed."""

from collections.abc import Sequence
from dataclasses import dataclass

from unmask.judgement import Thresholds
from unmask.model import drawing
from unmask.verdict import WindowScore

_LEFT = 44
#: Beside the plot stands what the thresholds mean: in it, bars near one would hide the words.
_RIGHT = 132
#: Words on two lines of the chart are this far apart at least.
_APART = 14
#: A window of one moment is still drawn this wide.
_LEAST_BAR = 3


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Seconds → x, scores → y (0 at the foot, 1 at the top)."""

    first_s: float
    last_s: float
    left: int
    right: int
    top: int
    foot: int

    def x(self, time_s: float) -> float:
        length = max(self.last_s - self.first_s, 1e-9)
        return self.left + (time_s - self.first_s) / length * (self.right - self.left)

    def y(self, score: float) -> float:
        return self.foot - score * (self.foot - self.top)


def draw_chart(
    on: drawing.Page,
    scores: Sequence[WindowScore],
    *,
    top: int,
    height: int,
    thresholds: Thresholds | None,
) -> None:
    if not scores:
        return
    axes = Axes(
        first_s=min(score.start_s for score in scores),
        last_s=max(score.end_s for score in scores),
        left=_LEFT,
        right=on.shape[1] - _RIGHT,
        top=top,
        foot=top + height,
    )
    _grid(on, axes)
    if thresholds:
        _thresholds(on, axes, thresholds)
    for score in scores:
        _window(on, axes, score)


def _grid(on: drawing.Page, axes: Axes) -> None:
    for level in (0.0, 0.5, 1.0):
        y = axes.y(level)
        drawing.line(on, [(axes.left, y), (axes.right, y)], drawing.RULE)
        drawing.text(on, f"{level:.1f}", 12, round(y) + 4, px=9, colour=drawing.GREY)
    below = axes.foot + 18
    drawing.text(on, f"{axes.first_s:.2f} s", axes.left, below, px=9, colour=drawing.GREY)
    drawing.text(on, f"{axes.last_s:.2f} s", axes.right - 46, below, px=9, colour=drawing.GREY)
    drawing.text(on, "stretches", axes.left + 320, below, px=9, colour=drawing.ALARM)
    drawing.text(
        on, "what each frame says alone", axes.left + 400, below, px=9, colour=drawing.CALM
    )


def _thresholds(on: drawing.Page, axes: Axes, thresholds: Thresholds) -> None:
    fake, real = axes.y(thresholds.fake), axes.y(thresholds.real)
    pushed = max(0.0, _APART - (real - fake)) / 2
    for y, words, foot in (
        (fake, "fake from here up", fake - pushed),
        (real, "real from here down", real + pushed),
    ):
        for x in range(axes.left, axes.right, 10):
            drawing.line(on, [(x, y), (min(x + 5, axes.right), y)], drawing.GREY)
        drawing.text(on, words, axes.right + 6, round(foot) + 4, px=8, colour=drawing.GREY)


def _window(on: drawing.Page, axes: Axes, score: WindowScore) -> None:
    """Its own score as a bar, its frames' as a line through it."""
    shown = score.raw if score.probability is None else score.probability
    start, end = axes.x(score.start_s), axes.x(score.end_s)
    end = max(end, start + _LEAST_BAR)
    drawing.line(on, [(start, axes.y(shown)), (end, axes.y(shown))], drawing.ALARM, 3)
    steps = max(len(score.frame_scores) - 1, 1)
    points = [
        (start + (end - start) * i / steps, axes.y(frame))
        for i, frame in enumerate(score.frame_scores)
    ]
    if len(points) > 1:
        drawing.line(on, points, drawing.CALM)
