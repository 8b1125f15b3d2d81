"""What a worker has loaded stays shared with its pool's processes."""

import subprocess
import sys

FORKING = """
import gc, os, sys
import workers.cpu
from celery import signals

def private():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

if sys.argv[1] == "settled":
    signals.worker_before_create_process.send(sender=None)
child = os.fork()
if child == 0:
    before = private()
    gc.collect()
    print(private() - before, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def _kilobytes_no_longer_shared(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING, how],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return int(done.stdout)


def test_a_collection_leaves_shared_memory_alone() -> None:
    unsettled = _kilobytes_no_longer_shared("as it is")
    settled = _kilobytes_no_longer_shared("settled")
    assert unsettled > 4_000, "a collection writes to all that was loaded"
    assert settled < unsettled / 4


def test_it_settles_once() -> None:
    """What is frozen at a later fork would never be freed, should it end in a cycle."""
    program = (
        "import gc, workers.cpu; from celery import signals; "
        "send = signals.worker_before_create_process.send; send(sender=None); "
        "frozen = gc.get_freeze_count(); later = [[] for _ in range(10_000)]; "
        "send(sender=None); assert 0 < gc.get_freeze_count() <= frozen, frozen"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60, check=True)
