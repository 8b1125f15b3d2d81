"""Twins: a pair differs inside the mask and nowhere else, and follows from its numbers."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.making.crops import picture
from tests.making.pairs import SIDE, crops, pairs, points
from unmask.train.blend import Moving, blended, moved, moved_points, placement, twins
from unmask.train.crops import Rgb
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


NONE: dict[str, Any] = dict.fromkeys(
    ("tone", "saturation", "grey", "resolution", "blur", "noise", "jpeg"), 0
)


def damaged(face: Rgb, name: str, seed: int) -> Rgb:
    """By one kind of damage alone, as it was cut."""
    rng = np.random.default_rng(seed)
    return applied(face, common_damage(Spoiling(**{**NONE, name: 1}), rng, over_time=True))


def noisy_edge() -> Rgb:
    """Dark beside bright, with grain on both."""
    picture = np.full((SIDE, SIDE, 3), 60, np.uint8)
    picture[:, SIDE // 2 :] = 190
    grain = np.random.default_rng(0).normal(0, 6, picture.shape)
    return np.asarray((picture + grain).clip(0, 255), dtype=np.uint8)


def step(picture: Rgb) -> float:
    """How far the two columns beside the edge lie apart."""
    middle = SIDE // 2
    return float(picture[:, middle].mean() - picture[:, middle - 1].mean())


def test_smoothed_skin_loses_its_grain_and_keeps_its_edges() -> None:
    before = noisy_edge()
    for seed in range(8):
        after = damaged(before, "smoothing", seed)
        assert after[:, :40].std() < 0.8 * before[:, :40].std()
        assert step(after) > 0.9 * step(before)


def test_a_sharpened_picture_overshoots_at_its_edges() -> None:
    before = noisy_edge()
    for seed in range(8):
        after = damaged(before, "sharpening", seed)
        assert step(after) > 1.1 * step(before)


def test_coarse_colour_leaves_the_light_alone() -> None:
    red = np.zeros((SIDE, SIDE, 3), np.uint8)
    red[:, ::2] = (200, 30, 30)
    red[:, 1::2] = (30, 120, 30)
    for seed in range(8):
        before, after = (
            cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb).astype(int)
            for each in (red, damaged(red, "coarse_colour", seed))
        )
        assert np.abs(after[..., 1] - before[..., 1]).mean() > 30
        assert after[..., 0].std() > 0.5 * before[..., 0].std()


def test_a_tint_moves_the_channels_apart() -> None:
    grey = np.full((SIDE, SIDE, 3), 160, np.uint8)
    spread = [np.ptp(damaged(grey, "tint", seed)[0, 0].astype(int)) for seed in range(8)]
    assert max(spread) > 8


def test_a_codec_on_the_larger_picture_costs_less_than_on_the_crop() -> None:
    face = picture(5, fake=False, side=SIDE)
    far = [np.abs(damaged(face, "far_codec", seed).astype(int) - face).mean() for seed in range(8)]
    assert 0.3 < float(np.mean(far)) < 12


def test_a_stretched_face_is_wider_or_narrower_and_its_landmarks_go_along() -> None:
    only = Moving(zoom_in=0, zoom_out=0, shift=0, turn_degrees=0, stretch=0.2)
    widths = []
    for seed in range(24):
        place = placement(only, SIDE, np.random.default_rng(seed))
        [left, right, top, bottom] = moved_points(
            np.array([[36, 56], [76, 56], [56, 36], [56, 76]], np.float32), place
        )
        widths.append(abs(right[0] - left[0]) / 40)
        assert abs(bottom[1] - top[1]) == pytest.approx(40, abs=0.01)
    assert 0.8 <= min(widths) < 0.95
    assert 1.05 < max(widths) <= 1.2


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
