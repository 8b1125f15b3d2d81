"""Lines that repeat an earlier one, found in bounded memory."""

import hashlib
from collections import OrderedDict

#: So many of the latest addresses are remembered (about 20 MB). A repeat further away is found by
#: the ledger, which counts it as known: it holds every item of a campaign once.
REMEMBERED = 100_000


class Repeats:
    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def first_line(self, uri: str, line: int) -> int | None:
        """The line that named this before, or None and it is remembered from now on."""
        digest = hashlib.blake2b(uri.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        before = self._seen.get(digest)
        if before is None:
            self._seen[digest] = line
            if len(self._seen) > self._remembered:
                self._seen.popitem(last=False)
        return before
