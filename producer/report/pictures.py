"""Evidence pictures for the page: read from the object store, verified, and bounded."""

import base64
import re
from collections import Counter

from infra.objects import Corrupt, Store
from unmask.errors import UnmaskError

#: The hash that an evidence picture's name ends with.
HASH = re.compile(r"([0-9a-f]{64})\.jpg\Z")
#: All pictures of a page together, as text; a browser opens a page of this size at once.
BUDGET = 12 << 20
#: A larger one is left out: it would push out a hundred others.
LARGEST = 256 << 10
#: What a picture begins with; the page shows nothing else.
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class Gallery:
    """Hands out pictures as `data:` addresses and counts those it could not show."""

    def __init__(self, store: Store, budget: int = BUDGET) -> None:
        self._store = store
        self._left = budget
        self.shown = 0
        #: Why pictures are not in the page, and how many.
        self.missing: Counter[str] = Counter()

    def picture(self, key: str | None) -> str | None:
        """The picture as an address that a page carries in itself, or None and it is counted."""
        if not key:
            return None
        try:
            uri = self._uri(self._read(key))
        except _NotShown as error:
            self.missing[str(error)] += 1
            return None
        self._left -= len(uri)
        self.shown += 1
        return uri

    def _read(self, key: str) -> bytes:
        digest = HASH.search(key)
        if self._left <= 0:
            raise _NotShown("beyond the size this page may have")
        if digest is None:
            raise _NotShown("without a hash in their names")
        try:
            return self._store.get(key, sha256=digest[1])
        except Corrupt:
            raise _NotShown("gone from the object store, or changed in it") from None
        except UnmaskError as error:
            raise _NotShown(f"not to be had: {error}") from error

    def _uri(self, data: bytes) -> str:
        kind = next((kind for start, kind in KINDS.items() if data.startswith(start)), None)
        if kind is None or len(data) > LARGEST:
            raise _NotShown("of a kind or size that a page should not carry")
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"


class _NotShown(Exception):
    """The page does without this picture; the message says why."""
