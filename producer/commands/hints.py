"""Commands that a message names: each can be typed as it stands, here and on this ledger."""

import re
import shlex
import sys
from pathlib import Path

DEFAULT_STATE = Path("state")
#: As those write a command who know neither the folder nor the ledger.
GENERAL = re.compile(r"`python -m producer ([^`]+)`")


def typed(words: str, state: Path) -> str:
    """The command as it can be typed here, on this ledger."""
    python = Path(sys.executable)
    here = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    where = "" if state == DEFAULT_STATE else f" --state {shlex.quote(str(state))}"
    return f"`{here} -m producer {words}{where}`"


def typeable(text: str, state: Path) -> str:
    """The text with every command in it as `typed`."""
    return GENERAL.sub(lambda found: typed(found[1], state), text)
