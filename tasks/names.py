"""Task names, queues and routes: the only place where these strings stand."""

from schemas.stages import Stage

EXTRACT = "unmask.extract"
CLASSIFY = "unmask.classify"

#: One queue per kind of machine that serves it.
CPU_QUEUE = "cpu"
GPU_QUEUE = "gpu"

QUEUES = {EXTRACT: CPU_QUEUE, CLASSIFY: GPU_QUEUE}

#: Which task takes an item on from an open stage.
TASKS = {Stage.WAITING: EXTRACT, Stage.EXTRACTED: CLASSIFY}

#: A question to GPU workers.
PULSE = "pulse"

#: The leader lease of the sweep.
SWEEP = "sweep"


def task_id(task: str, item: int) -> str:
    """The same for every try, so that an item is one line in Flower: `extract-17`."""
    return f"{task.rpartition('.')[2]}-{item}"
