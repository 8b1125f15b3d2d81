"""What a run says while it goes: lines for people, JSON lines and TensorBoard for curves."""

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unmask.train.curves import LINES, draw, read_lines


class Journal:
    """Says nothing where `folder` is None: only the leader of a team writes."""

    def __init__(self, folder: Path | None, console: Console | None = None) -> None:
        self._folder = folder
        self._console = console or Console()
        self._began = time.monotonic()
        self._progress: Progress | None = None
        self._curves: Any = None
        if folder is not None:
            self._open()

    def _open(self) -> None:
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
        """What was told of later steps is told once more as they are taken again."""
        if self._folder is not None:
            _forget_after(step, self._folder / LINES)
            self._draw(self._folder, forget_from=step + 1)
            self._say(f"resumed at step {step} of {steps}")

    def end(self, step: int, steps: int) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._folder is not None:
            self._say(f"ended at step {step} of {steps}, {self._minutes()}")
        if self._curves is not None:
            self._curves.close()
        if self._folder is not None:
            draw(self._folder)

    def _draw(self, folder: Path, forget_from: int | None = None) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        untyped: Any = SummaryWriter
        self._curves = untyped(str(folder / "curves"), purge_step=forget_from)
        return self._curves

    def _note(self, step: int, figures: dict[str, float]) -> None:
        if self._folder is None:
            return
        with (self._folder / LINES).open("a") as file:
            file.write(json.dumps({"step": step, **figures}) + "\n")
        curves = self._curves or self._draw(self._folder)
        for name, value in figures.items():
            curves.add_scalar(name, value, step)

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def _minutes(self) -> str:
        return f"{(time.monotonic() - self._began) / 60:.1f} min"


def _forget_after(step: int, path: Path) -> None:
    kept = [line for line in read_lines(path) if line["step"] <= step]
    part = path.with_suffix(".part")
    part.write_text("".join(json.dumps(line) + "\n" for line in kept))
    part.replace(path)
