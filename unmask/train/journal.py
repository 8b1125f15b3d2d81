"""What a run says while it goes: lines for people, JSON lines and TensorBoard for curves."""

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES = "journal.jsonl"


class Journal:
    """Says nothing where `folder` is None: only the leader of a team writes."""

    def __init__(self, folder: Path | None, console: Console | None = None) -> None:
        self._folder = folder
        self._console = console or Console()
        self._began = time.monotonic()
        self._progress: Progress | None = None
        self._curves: Any = None
        if folder is not None:
            self._open(folder)

    def _open(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        untyped: Any = SummaryWriter
        self._curves = untyped(str(folder / "curves"))
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("step"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                TextColumn("loss {task.fields[loss]:.4f}"), console=self._console,
            )  # fmt: skip
            self._task = self._progress.add_task("", total=None, loss=0.0)
            self._progress.start()

    def step(self, step: int, steps: int, *, loss: float, rate: float) -> None:
        self._note(step, {"loss": loss, "rate": rate})
        if self._progress is not None:
            self._progress.update(self._task, completed=step, total=steps, loss=loss)
        elif self._folder is not None:
            self._say(f"step {step} of {steps}, loss {loss:.4f}, {self._minutes()}")

    def epoch(self, step: int, steps: int, figures: dict[str, float]) -> None:
        self._note(step, figures)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self._say(f"epoch {step // steps}: {shown}, {self._minutes()}")

    def resumed(self, step: int, steps: int) -> None:
        if self._folder is not None:
            self._say(f"resumed at step {step} of {steps}")

    def end(self, step: int, steps: int) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._folder is not None:
            self._say(f"ended at step {step} of {steps}, {self._minutes()}")
            self._curves.close()

    def _note(self, step: int, figures: dict[str, float]) -> None:
        if self._folder is None:
            return
        with (self._folder / LINES).open("a") as file:
            file.write(json.dumps({"step": step, **figures}) + "\n")
        for name, value in figures.items():
            self._curves.add_scalar(name, value, step)

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def _minutes(self) -> str:
        return f"{(time.monotonic() - self._began) / 60:.1f} min"
