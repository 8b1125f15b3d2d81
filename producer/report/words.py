"""Each outcome in a person's words: its name, its colour, what it means and what to do."""

from dataclasses import dataclass
from typing import Literal

from unmask.outcomes import Outcome

Tone = Literal["fake", "unsure", "real", "plain", "refused", "dead", "open"]


@dataclass(frozen=True, kw_only=True)
class Word:
    name: str
    tone: Tone
    means: str


WORDS: dict[Outcome, Word] = {
    Outcome.FAKE: Word(
        name="Fake", tone="fake", means="Somebody in it is judged manipulated. Look at it."
    ),
    Outcome.UNSURE: Word(
        name="Unsure",
        tone="unsure",
        means="Neither certain enough to be called fake nor real. A person should look.",
    ),
    Outcome.REAL: Word(
        name="Real", tone="real", means="Everybody who was looked at is judged genuine."
    ),
    Outcome.NO_FACE: Word(
        name="No face", tone="plain", means="It was looked at, and no face was found."
    ),
    Outcome.TOO_SMALL: Word(
        name="Too small",
        tone="plain",
        means="Every face is too small to judge. A larger copy may help.",
    ),
    Outcome.TOO_SHORT: Word(
        name="Too short",
        tone="plain",
        means="A face is there in too few frames to judge. A longer copy may help.",
    ),
    Outcome.EXTRACTED: Word(
        name="Extracted",
        tone="plain",
        means="Its face clips are stored, and nobody asked for a verdict.",
    ),
    Outcome.UNREACHABLE: Word(
        name="Unreachable",
        tone="refused",
        means="It could not be fetched, after every scheduled try. Check the address, try again.",
    ),
    Outcome.BLOCKED: Word(
        name="Blocked",
        tone="refused",
        means="Its address is one that is never visited. Open the network for it if it is yours.",
    ),
    Outcome.TOO_LARGE: Word(
        name="Too large", tone="refused", means="It is larger or longer than the limits allow."
    ),
    Outcome.NOT_MEDIA: Word(
        name="Not media", tone="refused", means="It is neither a picture nor a video."
    ),
    Outcome.UNDECODABLE: Word(
        name="Undecodable",
        tone="refused",
        means="It claims to be media, but not one frame of it can be decoded.",
    ),
    Outcome.TIMED_OUT: Word(
        name="Timed out", tone="refused", means="Fetching or decoding it took too long."
    ),
    Outcome.OVER_BUDGET: Word(
        name="Over budget",
        tone="refused",
        means="Decoding it took more memory or space than it was given.",
    ),
    Outcome.DEAD: Word(
        name="Failed",
        tone="dead",
        means="The fault is ours, and the reason says which. Mend it and requeue the item.",
    ),
}
#: An item that has no outcome yet.
OPEN = Word(name="Not finished", tone="open", means="It was still on its way.")


def word(outcome: Outcome | None) -> Word:
    return OPEN if outcome is None else WORDS[outcome]
