"""Campaign by campaign: stages and cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.records import Tallied
from schemas.stages import ENDS, Stage

#: Campaigns with a label of their own; a fleet's history would fill Prometheus with names.
MOST_OPEN = 50
#: All others together.
ENDED = "(ended)"
OTHERS = "(others)"


@dataclass
class Sums:
    """What one label stands for."""

    stages: dict[Stage, int] = field(default_factory=lambda: defaultdict(int))
    answered_s: float = 0.0
    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0

    def add(self, one: Tallied) -> None:
        self.stages[one.stage] += one.items
        self.answered_s += one.answered_s
        self.cpu_seconds += one.cpu_seconds
        self.gpu_seconds += one.gpu_seconds

    @property
    def is_open(self) -> bool:
        return any(count for stage, count in self.stages.items() if stage not in ENDS)


def by_label(tallies: Iterable[Tallied]) -> Mapping[str, Sums]:
    """Open campaigns under their names, the latest first; the rest summed."""
    campaigns: dict[str, Sums] = defaultdict(Sums)
    for one in tallies:
        campaigns[one.campaign].add(one)
    labels = dict.fromkeys(campaigns, ENDED)
    for number, name in enumerate(name for name in reversed(campaigns) if campaigns[name].is_open):
        labels[name] = name if number < MOST_OPEN else OTHERS
    summed: dict[str, Sums] = defaultdict(Sums)
    for one in tallies:
        summed[labels[one.campaign]].add(one)
    return summed
