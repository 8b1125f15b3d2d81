"""When nearly everything fails by our own fault, stop and say so.

Rejections don't count: an archive full of dead links is the archive's own matter.
"""

from dataclasses import dataclass

#: Fewer dead items than this say nothing.
ENOUGH = 20
#: Of the items that ended lately, so many must be dead.
SHARE = 0.9
#: How many ends make up "lately".
LATELY = 200


@dataclass(frozen=True, kw_only=True)
class Ends:
    dead: int
    ended: int


class Brake:
    """Remembers per campaign where the counts stood when "lately" began."""

    def __init__(self) -> None:
        self._since: dict[str, Ends] = {}

    def trips(self, campaign: str, now: Ends) -> bool:
        before = self._since.setdefault(campaign, now)
        dead, ended = now.dead - before.dead, now.ended - before.ended
        if dead >= ENOUGH and dead >= SHARE * ended:
            # Whoever resumes it begins with a clean count.
            self._since[campaign] = now
            return True
        if ended >= LATELY or ended < 0:
            self._since[campaign] = now
        return False
