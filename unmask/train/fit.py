"""The loop: batch by batch, saved as it goes, resumed to the very same weights.

What step number n does depends on the recipe's seed, on n and on the weights alone. So a run that
was killed and goes on from its checkpoint ends where it would have ended.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from unmask.errors import Unusable
from unmask.train import saves, schedule
from unmask.train.journal import Journal
from unmask.train.learner import Learner
from unmask.train.recipe import Recipe
from unmask.train.team import Team

#: Steps between two checkpoints, and between two lines of the journal.
SAVE_EVERY, SAY_EVERY = 100, 20
#: The figure by which validations are compared.
WATCHED = "auc"


#: Told the number of an epoch and its validation.
Watch = Callable[[int, float], None]


class Diverged(Unusable):
    """The loss is no number any more; the last good checkpoint was kept."""


class Lesson(Protocol):
    """What is learned from: batches by number, and a part held out to watch."""

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        ...

    def loss(self, model: nn.Module, epoch: int, step: int, team: Team) -> Tensor: ...

    def validate(self, model: nn.Module) -> dict[str, float]: ...


@dataclass(frozen=True, kw_only=True)
class Fit:
    learner: Learner
    lesson: Lesson
    folder: Path
    team: Team
    journal: Journal
    watch: Watch | None = None

    @property
    def _recipe(self) -> Recipe:
        return self.learner.recipe

    @property
    def _steps(self) -> int:
        return self.lesson.steps * self._recipe.epochs

    def run(self) -> None:
        """To the end of the last epoch, or until validation has not risen for long enough."""
        self._resume()
        self.learner.model.train()
        try:
            self._steps_of_all_epochs()
        finally:
            self.journal.end(self.learner.step, self._steps)

    def _steps_of_all_epochs(self) -> None:
        while self.learner.step < self._steps and not self._worn_out():
            self._step()
            if self.learner.step % self.lesson.steps == 0:
                self._end_epoch()
            elif self.learner.step % SAVE_EVERY == 0:
                self._save(saves.LAST)

    def _resume(self) -> None:
        last = self.folder / saves.LAST
        if last.exists():
            tensors, facts = saves.read(last)
            self._refuse_another(facts)
            self.learner.restore(tensors, facts)
            self.journal.resumed(self.learner.step, self._steps)

    @property
    def _pace(self) -> dict[str, int]:
        """What decides, beside the recipe, which items a step learns from."""
        return {"steps in an epoch": self.lesson.steps, "processes": self.team.size}

    def _refuse_another(self, facts: dict[str, Any]) -> None:
        for name, own in self._pace.items():
            if (before := facts.get(name, own)) != own:
                raise Unusable(
                    f"{self.folder}: {name} were {before}, now they would be {own}: the data, "
                    "`batch` or --processes differ; put them back, or name another folder"
                )

    def _worn_out(self) -> bool:
        return schedule.worn_out(self._watched(), self._recipe.patience)

    def _watched(self) -> list[float]:
        return [entry[WATCHED] for entry in self.learner.history]

    def _step(self) -> None:
        step, recipe = self.learner.step, self._recipe
        torch.manual_seed((recipe.seed * 1_000_003 + step) * 64 + self.team.rank)
        self.learner.optimiser.zero_grad()
        epoch, within = divmod(step, self.lesson.steps)
        loss = self.lesson.loss(self.learner.model, epoch, within, self.team)
        torch.autograd.backward(loss)
        value = self._shared(loss)
        if not math.isfinite(value):
            raise Diverged(f"the loss is {value} at step {step}; {self._kept()}")
        steepness = self.learner.steepness()
        if not math.isfinite(steepness):
            raise Diverged(f"the gradient is {steepness} at step {step}; {self._kept()}")
        rate = self._rate(step)
        self.learner.learn(rate)
        if self.learner.step % SAY_EVERY == 0:
            self.journal.step(self.learner.step, self._steps, loss=value, rate=rate)

    def _shared(self, loss: Tensor) -> float:
        """Gradients, running statistics and the loss become the team's mean."""
        mean = loss.detach().clone()
        gradients = [each.grad for each in self.learner.model.parameters() if each.grad is not None]
        self.team.mean([*gradients, *self.learner.running(), mean])
        return float(mean)

    def _kept(self) -> str:
        last = self.folder / saves.LAST
        kept = f"the last good checkpoint is {last}" if last.exists() else "nothing was saved yet"
        return f"{kept}; a lower `rate` in the recipe, and another folder, may get past it"

    def _rate(self, step: int) -> float:
        rates: dict[str, Callable[[], float]] = {
            "constant": lambda: self._recipe.rate,
            "one-cycle": lambda: schedule.one_cycle(step, self._steps, self._recipe.rate),
            "plateau": lambda: schedule.plateau(self._watched(), self._recipe.rate),
        }
        return rates[self._recipe.schedule]()

    def _end_epoch(self) -> None:
        """The leader measures; the others take its word, so that all stop at the same step."""
        figures = [torch.zeros(1)]
        if self.team.leads:
            found = self._validated()
            figures = [torch.tensor([found[WATCHED] * self.team.size])]
        self.team.mean(figures)
        entry = {WATCHED: float(figures[0])} if not self.team.leads else found
        self.learner.history.append(entry)
        # The last checkpoint comes last: whoever is killed before it ends this epoch once more.
        if self.team.leads:
            self.journal.epoch(self.learner.step, self.lesson.steps, found)
        if entry[WATCHED] >= max(self._watched()):
            self._save(saves.BEST)
        self._save(saves.LAST)
        if self.team.leads and self.watch is not None:
            self.watch(len(self.learner.history), entry[WATCHED])

    def _validated(self) -> dict[str, float]:
        try:
            with self.learner.averaged() as model:
                return self.lesson.validate(model)
        except ValueError as error:
            step = self.learner.step
            raise Diverged(f"validation after step {step}: {error}; {self._kept()}") from error

    def _save(self, name: str) -> None:
        if self.team.leads:
            facts = {**self.learner.facts(), **self._pace}
            saves.save(self.folder / name, self.learner.tensors(), facts)
