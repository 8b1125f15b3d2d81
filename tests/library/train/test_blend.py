"""Twins: a pair differs inside the mask and nowhere else, and follows from its numbers."""

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.making.crops import picture
from tests.making.pairs import SIDE, crops, pairs, points
from unmask.train.blend import Moving, blended, moved, moved_points, placement, twins
from unmask.train.hulls import hull, soft_mask
from unmask.train.pairs import Pairing, Pairs
from unmask.train.quick import QuickStrided, quicken
from unmask.train.spoil import Spoiling, applied, common_damage


def test_a_mask_covers_the_middle_and_never_the_corner() -> None:
    for seed in range(20):
        mask = soft_mask(points(), SIDE, np.random.default_rng(seed))
        assert 0 <= mask.min() <= mask.max() <= 1.001
        assert mask[:4, :4].max() < 0.02
        assert mask[30:90, 30:90].max() > 0.2


def test_a_blend_is_the_patch_inside_and_the_ground_outside() -> None:
    ground, patch = np.full((SIDE, SIDE, 3), 50, np.uint8), np.full((SIDE, SIDE, 3), 200, np.uint8)
    found = blended(ground, patch, hull(points(), SIDE))
    assert found[56, 56].tolist() == [200] * 3
    assert found[2, 2].tolist() == [50] * 3


def test_twins_differ_in_the_face_alone() -> None:
    face = picture(3, fake=False, side=SIDE)
    still = Moving(zoom_in=0, zoom_out=0, shift=0, turn_degrees=0)
    differing = 0
    for seed in range(12):
        ground, twin = twins(face, points(), still, np.random.default_rng(seed))
        gap = np.abs(ground.astype(int) - twin)
        assert gap[:4].max() <= 1
        differing += gap[30:90, 30:90].max() > 3
    assert differing >= 10


def test_landmarks_move_with_their_face() -> None:
    dot = np.zeros((SIDE, SIDE, 3), np.uint8)
    cv2.circle(dot, (70, 40), 3, (255, 255, 255), -1)
    for seed in range(10):
        place = placement(Moving(), SIDE, np.random.default_rng(seed))
        rows, columns = np.nonzero(moved(dot, place)[..., 0] > 128)
        [[x, y]] = moved_points(np.array([[70.0, 40.0]], np.float32), place)
        assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=0.7)


def test_both_sides_of_a_pair_suffer_the_same() -> None:
    face = picture(5, fake=False, side=SIDE)
    for seed in range(20):
        damage = common_damage(Spoiling(), np.random.default_rng(seed))
        assert np.array_equal(applied(face, damage), applied(face.copy(), damage))


def test_a_pair_follows_from_seed_epoch_and_number() -> None:
    one, other = pairs(), pairs()
    for real in one.reals:
        assert all(map(np.array_equal, one.pair(int(real), 3), other.pair(int(real), 3)))
    assert not np.array_equal(one.pair(0, 3)[1], one.pair(0, 4)[1])
    assert sorted(one.order(1)) == sorted(one.order(2)) == [0, 2, 4, 6]


def test_a_given_fake_comes_from_its_own_group() -> None:
    plain = Moving(zoom_in=0, zoom_out=0, shift=0, turn_degrees=0)
    clean = Spoiling(tone=0, saturation=0, grey=0, resolution=0, blur=0, noise=0, jpeg=0)
    made = Pairs(
        crops=crops(), points=None, chosen=np.arange(8), seed=1,
        how=Pairing(given_fakes=1, moving=plain, spoiling=clean),
    )  # fmt: skip
    fake, real = made.pair(4, 0)
    wanted = picture(5, fake=True, side=SIDE)
    gap = min(np.abs(fake.astype(int) - each).mean() for each in (wanted, wanted[:, ::-1]))
    assert gap < 4
    assert real.shape == (SIDE, SIDE, 3)


def test_the_quick_way_back_is_the_usual_one() -> None:
    torch.manual_seed(0)
    usual = torch.nn.Sequential(torch.nn.Conv2d(6, 6, 3, 2, 1, groups=6, bias=False)).double()
    inputs = torch.randn(2, 6, 12, 12, dtype=torch.float64, requires_grad=True)
    wanted = torch.autograd.grad(usual(inputs).square().sum(), [inputs, *usual.parameters()])
    quicken(usual)
    assert isinstance(usual[0], QuickStrided)
    found = torch.autograd.grad(usual(inputs).square().sum(), [inputs, *usual.parameters()])
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, other)


def test_only_what_it_can_stand_in_for_is_replaced() -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(6, 12, 3, 2, 1), torch.nn.Conv2d(6, 6, 3, 1, 1, groups=6)
    )
    quicken(net)
    assert not any(isinstance(each, QuickStrided) for each in net)
    assert functional.relu(net[0](torch.zeros(1, 6, 4, 4))).shape == (1, 12, 2, 2)
