"""`python -m bench queue`: what the queue costs, and how little it minds the size of its backlog.

Each part takes a few minutes; `--part NAME` runs one and adds its figures to those of the others
in `--into FILE`. Without it all parts run. Printed: a table, then one line of JSON with every
figure there is.
"""

import argparse
import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.backlog import Figures, Parts
from bench.backlog.claiming import claim
from bench.backlog.databases import BOTH
from bench.backlog.nothing import noop
from bench.backlog.publishing import publish
from bench.backlog.recovery import recovery
from bench.backlog.redis_memory import memory
from bench.backlog.resident import resident
from bench.backlog.submitting import submit
from bench.timing import quiet

PARTS: Parts = {
    **{f"submit-{kind}": partial(submit, kind) for kind in BOTH},
    "publish": publish,
    "redis": memory,
    **{f"claim-{kind}": partial(claim, kind) for kind in BOTH},
    **{f"noop-{kind}": partial(noop, kind) for kind in BOTH},
    **{f"recovery-{kind}": partial(recovery, kind) for kind in BOTH},
    "memory": resident,
}
#: What the queue must keep: a figure, and whether it must be at least or at most so much.
TARGETS: Mapping[str, tuple[str, float]] = {
    "submit_per_s": (">=", 20_000),
    "ratio_publish": (">=", 10),
    "redis_growth": ("<=", 1.1),
    "ratio_redis": ("<=", 1 / 8),
    "ratio_claim": (">=", 0.9),
    "ratio_claim_p99": ("<=", 2),
    "status_ms": ("<=", 200),
    "ratio_noop": (">=", 1),
    "recovery_p99_s": ("<=", 75),
    "memory_growth": ("<=", 1.05),
}
#: Of two databases the worse one counts.
WORSE = {">=": min, "<=": max}
INTO = Path("results/bench-queue.json")


def main() -> None:
    given = arguments()
    figures = _read(given.into)
    for name in given.part or PARTS:
        begun = time.monotonic()
        found = PARTS[name]()
        figures = figures | {key: round(value, 4) for key, value in found.items()}
        given.into.parent.mkdir(parents=True, exist_ok=True)
        given.into.write_text(json.dumps(figures, indent=1, sort_keys=True))
        print(f"{name}: {time.monotonic() - begun:.0f} s, {quiet()}", flush=True)
    figures = figures | summary(figures)
    print("\n".join(table(figures)))
    print(json.dumps(figures, sort_keys=True))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="repeatable; all if none")
    parser.add_argument("--into", type=Path, default=INTO, help=f"figures so far ({INTO})")
    return parser.parse_args()


def summary(figures: Figures) -> Figures:
    """Figures that speak for both databases, once both are there."""
    found: Figures = {}
    for name, (sense, _) in TARGETS.items():
        of_both = [figures[key] for key in (f"{name}_{kind}" for kind in BOTH) if key in figures]
        if len(of_both) == len(BOTH):
            found[name] = WORSE[sense](of_both)
    if {"redis_window_bytes", "redis_celery_100k_bytes"} <= figures.keys():
        ratio = figures["redis_window_bytes"] / figures["redis_celery_100k_bytes"]
        found["ratio_redis"] = round(ratio, 4)
    return found


def table(figures: Figures) -> list[str]:
    lines = [f"{'':<24} {'figure':>12}   target"]
    for name, (sense, bound) in TARGETS.items():
        value = figures.get(name)
        if value is None:
            lines.append(f"{name:<24} {'not measured':>12}")
            continue
        kept = value >= bound if sense == ">=" else value <= bound
        lines.append(f"{name:<24} {value:>12,.3f}   {sense} {bound:g}{'' if kept else '  MISSED'}")
    return lines


def _read(path: Path) -> Figures:
    found: Figures = json.loads(path.read_text()) if path.exists() else {}
    return found


if __name__ == "__main__":
    main()
