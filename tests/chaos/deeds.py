"""What a made-up address makes the stand-ins do: `https://17.made.up/17?deed=segfault`.

Deeds of the CPU stage happen while its clips are cut, deeds of the GPU stage while they are scored:
the shade of a clip's pictures carries those from one to the other.
"""

import re
from enum import StrEnum

FRAMES = 2
PLAIN = 100


class Deed(StrEnum):
    #: No face: it ends with extraction.
    NOBODY = "nobody"
    #: Its address may not be visited: the cheapest end that there is.
    BLOCKED = "blocked"
    #: The item's own fault.
    REFUSED = "refused"
    #: Its server asks to come again, once.
    BUSY_ONCE = "busy-once"
    #: Its server asks for some seconds of patience, once.
    PATIENCE_ONCE = "patience-once"
    #: Its server never answers.
    SILENT = "silent"
    #: Our fault, each time.
    BUG = "bug"
    #: The process dies of it, each time.
    SEGFAULT = "segfault"
    #: It takes all the memory that it can get.
    HOARD = "hoard"
    #: It never returns, and no exception reaches it.
    ENDLESS = "endless"
    #: It goes on when the test says so.
    HELD = "held"
    #: Its stored clip is damaged, once.
    ROTTEN_ONCE = "rotten-once"
    #: What is cut from it is no picture, each time.
    BLANK = "blank"
    GPU_BUG = "gpu-bug"
    GPU_SEGFAULT = "gpu-segfault"
    #: The model never comes back from it.
    GPU_ENDLESS = "gpu-endless"
    GPU_HELD = "gpu-held"


#: Shades that a coded picture can't be mistaken in.
SHADES = {Deed.GPU_BUG: 10, Deed.GPU_SEGFAULT: 40, Deed.GPU_HELD: 70, Deed.GPU_ENDLESS: 130}
#: What no honest clip shows: an impostor's picture, put in place of a stored one.
IMPOSTOR = 200
TOLERANCE = 10


#: What a server asks for, in seconds.
PATIENCE_S = 6.0
#: As many as keep politeness towards one of them from being what is tested.
HOSTS = 97


def uri(number: int, deed: Deed | None = None) -> str:
    return f"https://{number % HOSTS}.made.up/{number}" + (f"?deed={deed}" if deed else "")


def deed_of(address: str) -> Deed | None:
    found = re.search(r"\?deed=([a-z-]+)", address)
    return Deed(found[1]) if found else None


def shade(deed: Deed | None) -> int:
    return SHADES.get(deed, PLAIN) if deed else PLAIN


def is_of(seen: int, wanted: int) -> bool:
    return abs(seen - wanted) <= TOLERANCE
