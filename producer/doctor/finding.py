"""What a check tells: one line for a person."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    what: str
    #: False has to be mended. None is worth knowing, and stops nothing.
    ok: bool | None
    says: str
    #: What to do about it; empty where nothing is to be done, or `says` tells it already.
    mend: str = ""


def well(what: str, says: str) -> Finding:
    return Finding(what=what, ok=True, says=says)


def note(what: str, says: str, mend: str = "") -> Finding:
    return Finding(what=what, ok=None, says=says, mend=mend)


def bad(what: str, says: str, mend: str = "") -> Finding:
    return Finding(what=what, ok=False, says=says, mend=mend)
