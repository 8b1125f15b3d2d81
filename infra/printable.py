"""Strangers' text, made plain for people: it can steer no terminal and break no line."""


def printable(text: str) -> str:
    """Show every character that could steer a terminal or reorder a line as an escape.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
