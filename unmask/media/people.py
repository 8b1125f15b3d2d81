"""Tracks become people."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from unmask.media.values import FaceFrame


@dataclass(kw_only=True)
class Trail:
    """Everything kept of one track."""

    track: int
    frames: list[tuple[FaceFrame, bytes]] = field(default_factory=list)
    largest_px: int = 0

    @property
    def weight(self) -> float:
        """Face area over time: who fills the picture most, longest."""
        return sum(float(frame.face_px) ** 2 for frame, _ in self.frames)


def people(trails: Sequence[Trail]) -> list[list[Trail]]:
    """One list of trails per person, the most present first."""
    by_window: dict[int, list[Trail]] = {}
    for trail in sorted(trails, key=lambda trail: -trail.weight):
        if trail.frames:
            by_window.setdefault(trail.frames[0][0].window, []).append(trail)
    groups: list[list[Trail]] = []
    for rank in range(max(map(len, by_window.values()), default=0)):
        groups.append([ranked[rank] for ranked in by_window.values() if len(ranked) > rank])
    return sorted(groups, key=lambda group: -sum(trail.weight for trail in group))
