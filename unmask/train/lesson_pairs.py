"""Learning frame by frame, from pairs of a face and its fake."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from unmask.judgement import from_log_odds
from unmask.train.crops import Crops
from unmask.train.frames import FAKE, REAL
from unmask.train.metrics import auc, confusion, log_loss
from unmask.train.pairs import Pairs
from unmask.train.recipe import Recipe
from unmask.train.teaching import Pupil, Teacher, taught
from unmask.train.team import Team

#: Pictures that are judged at once; what matters is that their maps stay in the caches.
CHUNK = 32
#: The epoch whose pairs are never trained on: they make the validation's twins.
_NO_EPOCH = 1_000_000


@dataclass(frozen=True, kw_only=True)
class PairsLesson:
    recipe: Recipe
    pairs: Pairs
    held_out: Pairs
    device: torch.device
    teacher: Teacher | None = None
    #: An epoch is shared out over so many processes.
    team_size: int = 1

    @property
    def steps(self) -> int:
        return max(1, len(self.pairs) // (self.recipe.batch * self.team_size))

    def loss(self, model: nn.Module, epoch: int, step: int, team: Team) -> Tensor:
        start = (step * team.size + team.rank) * self.recipe.batch
        reals = self.pairs.order(epoch)[start : start + self.recipe.batch]
        frames = torch.from_numpy(self.pairs.batch(reals, epoch)).to(self.device)
        wanted = torch.tensor([FAKE] * len(reals) + [REAL] * len(reals), device=self.device)
        if self.teacher is None or not isinstance(model, Pupil):
            return weighed(model(frames), wanted, self.recipe)
        logits, apart = taught(model, self.teacher, frames)
        return weighed(logits, wanted, self.recipe) + self.recipe.teaching * apart

    def validate(self, model: nn.Module) -> dict[str, float]:
        """On held-out groups: the given fakes as they are, and twins of the real ones."""
        crops, chosen = self.held_out.crops, self.held_out.chosen
        given = fake_margins(model, crops, chosen, self.device)
        figures = of_margins(given, crops.fake[chosen])
        if self.held_out.points is not None:
            figures["twins"] = self._twins(model)
        return figures

    def _twins(self, model: nn.Module) -> float:
        reals = self.held_out.reals[: 20 * CHUNK]
        margins, fake = [], []
        for start in range(0, len(reals), CHUNK // 2):
            some = reals[start : start + CHUNK // 2]
            margins.append(_margins(model, self.held_out.batch(some, _NO_EPOCH), self.device))
            fake += [True] * len(some) + [False] * len(some)
        return auc(np.concatenate(margins), np.array(fake))


def of_margins(margins: NDArray[np.float64], fake: NDArray[np.bool_]) -> dict[str, float]:
    """What a validation tells."""
    said = [from_log_odds(float(margin)) for margin in margins]
    return {
        "auc": auc(margins, fake),
        "accuracy": confusion(said, fake).accuracy,
        "validation loss": log_loss(said, fake),
    }


def weighed(logits: Tensor, wanted: Tensor, recipe: Recipe) -> Tensor:
    """A softmax over both classes weighs their difference alone; two sigmoids hold each to 0 or 1.

    (A single sigmoid of the difference would be that same softmax.)
    """
    if recipe.loss == "cross-entropy":
        return functional.cross_entropy(logits, wanted, label_smoothing=recipe.smoothing)
    classes = logits.shape[1]
    each = functional.one_hot(wanted, classes).to(logits.dtype)
    soft = each * (1 - recipe.smoothing) + recipe.smoothing / classes
    return functional.binary_cross_entropy_with_logits(logits, soft)


def fake_margins(
    model: nn.Module, crops: Crops, chosen: NDArray[np.intp], device: torch.device
) -> NDArray[np.float64]:
    """Logit of fake minus logit of real for each chosen crop."""
    parts = [
        _margins(model, crops.pictures[chosen[start : start + CHUNK]], device)
        for start in range(0, len(chosen), CHUNK)
    ]
    return np.concatenate(parts)


def _margins(
    model: nn.Module, pictures: NDArray[np.uint8], device: torch.device
) -> NDArray[np.float64]:
    logits = model(torch.from_numpy(np.ascontiguousarray(pictures)).to(device)).double()
    return np.asarray((logits[:, FAKE] - logits[:, REAL]).cpu().numpy(), dtype=np.float64)
