"""`python -m producer …`: scan · submit · status · report · requeue · cancel · resume · doctor."""

import sys

import settings
from producer.commands import app
from unmask.errors import TryAgain, Unusable


def main() -> int:
    """Settings are read here and handed down; a mistake is one sentence and status 2."""
    try:
        app(obj=settings)
    except (Unusable, TryAgain) as error:
        print(f"unmask: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
