"""Probabilities as a person reads them: the same in reasons, tables, pages and pictures."""

#: Nearer than this to certainty, only the bound is said.
LEAST = 0.005


def percent(probability: float) -> str:
    """Never `0 %` or `100 %`: no estimate is that sure.

    >>> percent(0.97), percent(0.9999)
    ('97 %', '>99 %')
    """
    if probability < LEAST:
        return "<1 %"
    return ">99 %" if probability > 1 - LEAST else f"{probability:.0%}".replace("%", " %")


def likely(probability: float | None) -> str:
    return "not scored" if probability is None else f"{percent(probability)} likely fake"
