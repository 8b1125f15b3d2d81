"""The one typed verdict in which every item ends."""

from enum import StrEnum


class Outcome(StrEnum):
    """Answers, rejections (with a reason a person can act on), and our own failure."""

    #: A person in it is judged manipulated.
    FAKE = "fake"
    #: Everybody looked at is judged genuine.
    REAL = "real"
    #: Neither is certain enough: a person should look.
    UNSURE = "unsure"
    #: It was looked at and no face was found.
    NO_FACE = "no_face"
    #: Faces were found, all of them too small to judge.
    TOO_SMALL = "too_small"
    #: A face was found in too few frames to judge.
    TOO_SHORT = "too_short"
    #: Clips are stored and nobody asked for a verdict (`--extract-only`).
    EXTRACTED = "extracted"

    #: It could not be fetched, after every scheduled try.
    UNREACHABLE = "unreachable"
    #: The address is one we refuse to visit.
    BLOCKED = "blocked"
    #: It is larger or longer than the limits allow.
    TOO_LARGE = "too_large"
    #: It is neither a picture nor a video.
    NOT_MEDIA = "not_media"
    #: It claims to be media, but not one frame of it can be decoded.
    UNDECODABLE = "undecodable"
    #: Fetching or decoding it ran out of time.
    TIMED_OUT = "timed_out"
    #: Decoding it ran out of the memory or space it was given.
    OVER_BUDGET = "over_budget"

    #: We failed: the fault is ours, and the last error says which.
    DEAD = "dead"

    @property
    def is_rejection(self) -> bool:
        return self in REJECTIONS


ANSWERS = frozenset(
    {
        Outcome.FAKE,
        Outcome.REAL,
        Outcome.UNSURE,
        Outcome.NO_FACE,
        Outcome.TOO_SMALL,
        Outcome.TOO_SHORT,
        Outcome.EXTRACTED,
    }
)
REJECTIONS = frozenset(Outcome) - ANSWERS - {Outcome.DEAD}
