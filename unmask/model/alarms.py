"""What to expect of a model at a given share of fakes: false alarms, misses, work for people.

of 10,000 items with a base rate of 1 %, 100 are fake and 9,900 real
false alarms = 9,900 × (share of real items called fake)
misses       =   100 × (share of fake items called real)
"""

from dataclasses import dataclass

from unmask.judgement import Thresholds

ITEMS = 10_000


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """Expected counts; of a real archive they scatter around these."""

    false_alarms: float
    misses: float
    unsure: float


def expected_alarms(thresholds: Thresholds, *, base_rate: float, items: int = ITEMS) -> Alarms:
    if not 0 <= base_rate <= 1:
        raise ValueError(f"a base rate is a share from 0 to 1, not {base_rate}")
    fake, real = items * base_rate, items * (1 - base_rate)
    return Alarms(
        false_alarms=real * thresholds.real_called_fake,
        misses=fake * thresholds.fake_called_real,
        unsure=real * thresholds.real_unsure + fake * thresholds.fake_unsure,
    )
