"""`python -m producer …`: scan · submit · status · report · requeue · cancel · resume · doctor."""

import sys

from producer.commands import app
from settings import load
from unmask.errors import TryAgain, Unusable


def main() -> int:
    """Settings are read here and handed down; a mistake is one sentence and status 2."""
    try:
        app(obj=load, standalone_mode=True)
    except (Unusable, TryAgain) as error:
        print(f"unmask: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
