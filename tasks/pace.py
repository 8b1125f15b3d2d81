"""How many items go behind one message: as many as a worker ends in a moment.

A message costs its worker the same whatever it asks for, so quick items go in handfuls. What takes
its time goes alone: nobody should wait behind it.
"""

from dataclasses import dataclass

#: How long the items of one message should keep a worker busy.
MOMENT_S = 0.1
#: How often it is looked.
EVERY_S = 1.0
#: The most that go together.
MOST = 16
#: A window holds at least so many handfuls, or some workers would find nothing in it.
LEAST_MESSAGES = 12


@dataclass
class Pace:
    """Little's law: what is in hand, over what is taken a second, is how long one is in hand."""

    window: int
    together: int = 1
    _since: float = 0.0
    _taken: int = 0

    def take(self, count: int) -> None:
        """So many places of the window were empty, and are filled again."""
        self._taken += count

    def is_due(self, now: float) -> bool:
        return now >= self._since + EVERY_S

    def look(self, now: float, in_hand: int) -> None:
        """`in_hand`: how many items the workers hold at this moment."""
        rate = self._taken / (now - self._since) if self._since else 0.0
        self._since, self._taken = now, 0
        held_s = max(in_hand, 1) / rate if rate else MOMENT_S * MOST
        wanted = min(self.together * MOMENT_S / held_s, 2 * self.together)
        self.together = max(1, min(round(wanted), MOST, self.window // LEAST_MESSAGES))
