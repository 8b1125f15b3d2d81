"""`python -m tests.chaos.run cpu …`: a process of the fleet, in surroundings that a test chose."""

import functools
import os
import sys

from tests.chaos import surroundings


def main() -> None:
    surroundings.prepare()
    kind, *arguments = sys.argv[1:]
    if kind == "sweep":
        sweep()
    elif kind == "producer":
        producer(arguments)
    else:
        celery(f"{'workers' if surroundings.is_real() else 'tests.chaos'}.{kind}", arguments)


def sweep() -> None:
    from tasks import pace
    from tests.chaos.stand_in import made_up
    from workers import sweep as module

    vars(module)["resources"] = functools.cache(made_up)
    if tidy_s := os.environ.get(surroundings.TIDY_S):
        vars(module)["CLEAN_EVERY_S"] = float(tidy_s)
    if moment_s := os.environ.get(surroundings.MOMENT_S):
        vars(pace)["MOMENT_S"] = float(moment_s)
    sys.exit(module.main())


def producer(arguments: list[str]) -> None:
    from producer.__main__ import main as producer_main
    from producer.commands.context import Context
    from tests.chaos.points import watched

    module = vars(sys.modules[Context.__module__])
    opened = module["open_ledger"]
    module["open_ledger"] = lambda address: watched(opened(address))
    sys.argv = ["producer", *arguments]
    sys.exit(producer_main())


def celery(app: str, arguments: list[str]) -> None:
    from celery.__main__ import main as celery_main

    sys.argv = ["celery", "-A", app, "worker", *arguments]
    celery_main()


if __name__ == "__main__":
    main()
