"""A network while it learns: its optimiser, its moving average, and how far it is."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from unmask.errors import Unusable
from unmask.train import saves
from unmask.train.recipe import Recipe

_MODEL, _OPTIMISER, _AVERAGE = "model.", "optimiser.", "average."
#: The average follows faster while it is young, or it would stand at the first weights for long.
_YOUNG = 10


@dataclass(kw_only=True)
class Learner:
    model: nn.Module
    recipe: Recipe
    step: int = 0
    #: One entry per validation, as it was printed.
    history: list[dict[str, float]] = field(default_factory=list)
    optimiser: Optimizer = field(init=False)
    average: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.optimiser = _optimiser(self.model, self.recipe)
        self.average = {name: tensor.detach().clone() for name, tensor in self._floats().items()}

    def _floats(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.model.state_dict()
        return {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}

    def running(self) -> list[Tensor]:
        """What normalisation gathers beside the gradients."""
        return [buffer for buffer in self.model.buffers() if buffer.is_floating_point()]

    def steepness(self) -> float:
        """How long the gradient was; it is shortened where the recipe says so."""
        longest = math.inf if self.recipe.clip is None else self.recipe.clip
        return float(nn.utils.clip_grad_norm_(self.model.parameters(), longest))

    def learn(self, rate: float) -> None:
        """One step along the gradients that lie in the parameters."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.step += 1
        self._follow()

    def _follow(self) -> None:
        keep = min(self.recipe.average, self.step / (self.step + _YOUNG))
        now = self._floats()
        names = list(self.average)
        torch._foreach_lerp_(
            [self.average[name] for name in names], [now[name] for name in names], 1 - keep
        )

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """The model with the moving average in place of its weights, ready to be measured."""
        own = {name: tensor.detach().clone() for name, tensor in self._floats().items()}
        self.model.load_state_dict(self.average, strict=False)
        self.model.eval()
        try:
            with torch.no_grad():
                yield self.model
        finally:
            self.model.load_state_dict(own, strict=False)
            self.model.train()

    def tensors(self) -> dict[str, Tensor]:
        return {
            **saves.with_prefix(self.model.state_dict(), _MODEL),
            **saves.with_prefix(self.average, _AVERAGE),
            **saves.with_prefix(_optimiser_tensors(self.optimiser), _OPTIMISER),
        }

    def facts(self) -> dict[str, Any]:
        return {"step": self.step, "history": self.history, "recipe": self.recipe.name}

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        if facts["recipe"] != self.recipe.name:
            raise Unusable(
                f"the checkpoint was made by recipe {facts['recipe']}, not {self.recipe.name}; "
                "name another folder"
            )
        self.model.load_state_dict(saves.under_prefix(tensors, _MODEL))
        self.average = saves.under_prefix(tensors, _AVERAGE)
        _restore_optimiser(self.optimiser, saves.under_prefix(tensors, _OPTIMISER))
        self.step, self.history = facts["step"], facts["history"]


def _optimiser(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Biases and the scales of normalisation are not decayed."""
    weights = [each for each in model.parameters() if each.dim() > 1]
    others = [each for each in model.parameters() if each.dim() <= 1]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    kind: type[Adam] = {"adam": Adam, "adamw": AdamW}[recipe.optimiser]
    return kind(groups, lr=recipe.rate, fused=True)


def _optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, entry in state.items()
        for name, value in entry.items()
    }


def _restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = _laid_out(tensor, parameters[int(number)])
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _laid_out(tensor: Tensor, parameter: Tensor) -> Tensor:
    """In the parameter's own order of memory, which the fused step takes for granted."""
    return torch.empty_like(parameter).copy_(tensor) if tensor.dim() else tensor
