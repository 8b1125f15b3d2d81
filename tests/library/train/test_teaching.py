"""A pupil learns its teacher's maps and margins, and a teacher that can't teach it is refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.making.bundles import write_bundle
from tests.making.crops import picture
from tests.making.recipes import PAIRS
from unmask.errors import Unusable
from unmask.model.description import Trunk
from unmask.spec import ScanSpec
from unmask.train.frames import FAKE, REAL
from unmask.train.recipe import Recipe, find_recipe, with_values
from unmask.train.start import draft
from unmask.train.teaching import Pupil, Teacher, taught

SIDE = 48


def recipe() -> Recipe:
    return with_values(find_recipe("strong"), {k: v for k, v in PAIRS.items() if k != "name"})


def pupil_of(teacher: Teacher, trunk: Trunk = "mobilenet_v2", side: int = SIDE) -> Pupil:
    torch.manual_seed(3)
    said = draft(dataclasses.replace(recipe(), trunk=trunk), ScanSpec(size=side))
    return Pupil(dataclasses.replace(recipe(), trunk=trunk), said, teacher.description)


def teacher_in(folder: Path) -> Teacher:
    return Teacher(write_bundle(folder, spec=ScanSpec(size=SIDE).to_json()))


def frames() -> torch.Tensor:
    return torch.from_numpy(np.stack([picture(n, fake=bool(n % 2)) for n in range(8)]))


@pytest.mark.parametrize("trunk", ["mobilenet_v2", "compact"])
def test_a_pupil_comes_nearer_to_what_its_teacher_sees(tmp_path: Path, trunk: Trunk) -> None:
    """Also where it lacks the teacher's smallest maps."""
    teacher = teacher_in(tmp_path)
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    pupil = pupil_of(teacher, trunk).train()
    optimiser = torch.optim.AdamW(pupil.parameters(), lr=0.005)
    gaps = []
    for _ in range(12):
        _, apart = taught(pupil, teacher, frames())
        optimiser.zero_grad()
        torch.autograd.backward(apart)
        optimiser.step()
        gaps.append(float(apart.detach()))
    assert gaps[-1] < 0.85 * gaps[0]
    assert all(torch.equal(before[name], one) for name, one in teacher.state_dict().items())


def test_margins_follow_the_teachers_and_not_the_other_way_round(tmp_path: Path) -> None:
    teacher = teacher_in(tmp_path)
    _, probable = teacher(frames())
    pupil = pupil_of(teacher).eval()
    with torch.no_grad():
        pupil.linear.weight.zero_()
        apart = {}
        for sign in (1, -1):
            pupil.linear.bias[FAKE] = sign * torch.logit(probable.mean()) / 2
            pupil.linear.bias[REAL] = -pupil.linear.bias[FAKE]
            apart[sign] = float(taught(pupil, teacher, frames())[1])
    assert abs(float(probable.mean()) - 0.5) > 1e-4, "an undecided teacher shows nothing"
    assert apart[1] < apart[-1]


def test_a_teacher_whose_maps_are_of_other_sides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="name a teacher whose trunk shrinks pictures alike"):
        pupil_of(teacher_in(tmp_path), "compact", side=112)
