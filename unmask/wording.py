"""Probabilities and strangers' text as a person reads them, in tables, pages and pictures."""

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


def counted(count: int, what: str, several: str = "") -> str:
    """A number and what it counts; `several` where that takes more than an s.

    >>> counted(1, "frame"), counted(20, "frame"), counted(2, "person", "people")
    ('1 frame', '20 frames', '2 people')
    """
    return f"{count} {what}" if count == 1 else f"{count} {several or f'{what}s'}"


def printable(text: str) -> str:
    """Show every character that could steer a terminal or reorder a line as an escape.

    Also bytes of a file's name that are no text at all.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
