"""`python -m bench NAME`: runs one comparison and prints its figures.

What follows the name is the comparison's own; most take nothing.
"""

import importlib
import sys
from pathlib import Path

#: A comparison is a module with a `main`.
NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("[a-z]*.py")
    if "\ndef main(" in path.read_text()
)


def main() -> None:
    """Prints the names when it isn't given one of them."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: python -m bench {{{'|'.join(NAMES)}}}")
    # Threads wait as they do where the system serves; later it would be too late to say so.
    importlib.import_module("unmask.model")
    comparison = importlib.import_module(f"bench.{sys.argv.pop(1)}")
    sys.argv[0] = comparison.__name__
    comparison.main()


if __name__ == "__main__":
    main()
