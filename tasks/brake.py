"""When nearly everything fails by our own fault, or nobody answers any more, stop and say so.

    rule      bad                              of
    dead      items that ended dead            those, and items that went well
    failed    tries that met an error of ours  those tries, and items that went well
    silent    fetches that nobody answered     all fetches

An item that was cut went well too while it waits for its answer: the classifier may be behind. Who
gets that answer was counted when it was cut; so the count that grew most tells how many went well:

    the classifier is not there yet    answered +0    answered or cut +500
    it catches up                      answered +500  answered or cut +0
    it kills what was cut              answered +0    answered or cut -20

Rejections count on neither side: an archive full of dead links is the archive's own matter, and
must not hide that all the rest of it fails. It may be silent too, where its hosts or their name
servers are gone; so before a campaign is paused for silence, the network itself is asked.
"""

from dataclasses import dataclass, field

#: Fewer bad ones than this say nothing.
ENOUGH = 20
#: Of those that count lately, so many must be bad.
SHARE = 0.9
#: How many make up "lately".
LATELY = 200


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many bad ones beside so many good ones, counted since the campaign began."""

    bad: int
    good: int
    #: Good so far, and not counted among the good ones yet.
    pending: int = 0


@dataclass(frozen=True, kw_only=True)
class Counts:
    dead: int = 0
    done: int = 0
    #: Cut, and not judged yet.
    cut: int = 0
    failed: int = 0
    silent: int = 0
    answered: int = 0

    def shares(self) -> dict[str, Share]:
        return {
            "dead": Share(bad=self.dead, good=self.done, pending=self.cut),
            "failed": Share(bad=self.failed, good=self.done, pending=self.cut),
            "silent": Share(bad=self.silent, good=self.answered),
        }


@dataclass
class Brake:
    """Remembers per campaign and rule where the counts stood when "lately" began."""

    _since: dict[tuple[str, str], Share] = field(default_factory=dict)

    def trips(self, campaign: str, now: Counts) -> str | None:
        """The rule that says stop; whoever resumes the campaign begins with a clean count."""
        tripped = [
            rule for rule, share in now.shares().items() if self._trips((campaign, rule), share)
        ]
        return tripped[0] if tripped else None

    def _trips(self, key: tuple[str, str], now: Share) -> bool:
        before = self._since.setdefault(key, now)
        bad, good = now.bad - before.bad, now.good - before.good
        total = bad + max(good, good + now.pending - before.pending)
        tripped = bad >= ENOUGH and bad >= SHARE * total
        # Fewer than there were: somebody had them done again.
        if tripped or total >= LATELY or min(bad, good) < 0:
            self._since[key] = now
        return tripped
