"""All malformed files by name: broken parts, bombs, polyglots, playlists, random mutations."""

from collections.abc import Iterator

from tests.fuzz.bombs import BOMBS, playlist, polyglots
from tests.fuzz.formats import READERS
from tests.fuzz.parts import broken
from tests.fuzz.randomly import mutation
from tests.fuzz.seeds import seeds

RANDOM = 2000
#: Stands for any file of the machine; the room may not reach it.
SECRET = "/etc/passwd"


def structured() -> Iterator[tuple[str, bytes]]:
    for kind, data in seeds().items():
        for name, bad in broken(data, READERS[kind](data)).items():
            yield f"{kind}: {name}", bad


def bombs() -> Iterator[tuple[str, bytes]]:
    for name, made in BOMBS.items():
        yield name, made()


def two_faced() -> Iterator[tuple[str, bytes]]:
    yield from playlist(SECRET).items()
    yield from polyglots().items()


def mutations(count: int = RANDOM) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        kind, data = mutation(number)
        yield f"{kind} {number}", data


def whole() -> Iterator[tuple[str, bytes]]:
    for part in (structured(), bombs(), two_faced(), mutations()):
        yield from part
