"""A second look: where every window was faceless, glances between them find where to look.

windows:   |      ▓▓▓      |      ▓▓▓      |
glances:   |  ·         ·  |  ·         ·  |
"""

import dataclasses
from collections.abc import Sequence

from unmask.media.plan import Plan, Window, window_length
from unmask.spec import ScanSpec

#: Where in its share of the file a glance is taken; the window lies in the middle.
_GLANCES = (1 / 6, 5 / 6)


def glances(plan: Plan, duration_s: float | None) -> Plan:
    """Single pictures between the windows; none where the windows follow one another anyway."""
    if plan.moments != "windows" or not duration_s:
        return dataclasses.replace(plan, windows=())
    share = duration_s / len(plan.windows)
    moments = [(index + at) * share for index in range(len(plan.windows)) for at in _GLANCES]
    return dataclasses.replace(
        plan,
        windows=tuple(
            Window(index=index, start_s=moment, slack_s=share / 6, picks=1)
            for index, moment in enumerate(moments)
        ),
    )


def windows_at(moments: Sequence[float], spec: ScanSpec, frame_rate: float | None) -> Plan:
    """A window from each moment on that isn't in the one before; as many as the spec allows."""
    length = window_length(spec, frame_rate)
    starts: list[float] = []
    for moment in sorted(moments):
        if not starts or moment >= starts[-1] + length:
            starts.append(moment)
    return Plan(
        windows=tuple(
            Window(index=index, start_s=start, picks=spec.frames, spacing_s=spec.spacing_s)
            for index, start in enumerate(starts[: spec.windows])
        )
    )
