"""`python -m producer …`: scan · submit · status · report · requeue · resume · erase · doctor …"""

import sys

from unmask.errors import TryAgain, Unusable

#: As a shell says it of a program that Ctrl-C ended.
INTERRUPTED = 130


def main() -> int:
    """Settings are read here and handed down; a mistake is one sentence and status 2."""
    try:
        # Inside, so that Ctrl-C is understood from the first moment: loading takes a second.
        import settings
        from producer.commands import app

        app(obj=settings)
    except (Unusable, TryAgain) as error:
        print(f"unmask: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"unmask: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
