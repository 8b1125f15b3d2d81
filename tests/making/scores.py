"""What a model might say of one window."""

from typing import TYPE_CHECKING

from unmask.verdict import WindowScore

if TYPE_CHECKING:
    from unmask.model.clips import PersonFrames


def a_score(person: "PersonFrames", number: int, raw: float = 0.5) -> WindowScore:
    times = person.windows[number].times
    return WindowScore(
        person=person.person,
        window=number,
        start_s=times[0],
        end_s=times[-1],
        frames=len(times),
        raw=raw,
    )
