"""Several processes that learn as one."""

import os
from pathlib import Path

import pytest
import torch

from unmask.errors import Unusable
from unmask.train.team import Team, in_team


def test_tensors_become_their_mean(tmp_path: Path) -> None:
    def work(team: Team) -> None:
        own = [torch.full((2,), float(team.rank)), torch.tensor(4.0 * team.rank)]
        team.mean(own)
        (tmp_path / str(team.rank)).write_text(f"{own[0].tolist()} {own[1].item()}")

    in_team(2, tmp_path, work)
    assert {(tmp_path / name).read_text() for name in ("0", "1")} == {"[0.5, 0.5] 2.0"}


def test_a_member_that_dies_is_told_in_a_sentence(tmp_path: Path) -> None:
    def work(team: Team) -> None:
        if not team.leads:
            os._exit(9)
        team.mean([torch.zeros(1)])

    with pytest.raises(Unusable, match=r"died \(exit code 9\).* run the same command again"):
        in_team(2, tmp_path, work)


def test_what_ends_all_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def work(team: Team) -> None:
        team.mean([torch.zeros(1)])
        raise Unusable("the loss is no number")

    with pytest.raises(Unusable, match="the loss is no number"):
        in_team(2, tmp_path, work)
    assert "Traceback" not in capfd.readouterr().err
