"""Pseudo-sequences, and an LSTM that starts as the judge of single frames."""

import numpy as np
import pytest
import torch

from tests.making.crops import picture
from tests.making.pairs import SIDE, pairs, points
from unmask.model.clips import PersonFrames, Window
from unmask.model.description import Architecture
from unmask.model.network import Network
from unmask.train import temporal
from unmask.train.blend import Moving
from unmask.train.recipe import Recipe, find_recipe, with_values
from unmask.train.robust import DAMAGES, damaged_person
from unmask.train.sequences import filmed, filmed_twins, story
from unmask.train.spoil import Spoiling
from unmask.train.temporal import Films, film_auc, film_pair, fit_lstm, start_as_frames

CLEAN = Spoiling(tone=0, saturation=0, grey=0, resolution=0, blur=0, noise=0, jpeg=0)


def test_a_film_moves_and_stays_the_same_face() -> None:
    face = picture(3, fake=False, side=SIDE)
    told = story(Moving(), CLEAN, SIDE, 10, np.random.default_rng(1))
    film = filmed(face, told).astype(int)
    assert film.shape == (10, SIDE, SIDE, 3)
    steps = np.abs(np.diff(film, axis=0)).mean(axis=(1, 2, 3))
    assert (steps > 0).all()
    assert steps.max() < 12


def test_a_blend_and_its_face_share_the_story() -> None:
    face = picture(3, fake=False, side=SIDE)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        told = story(Moving(), CLEAN, SIDE, 6, rng)
        blend, ground = filmed_twins(face, points(), Moving(), told, rng)
        assert blend.shape == ground.shape == (6, SIDE, SIDE, 3)
        gap = np.abs(blend.astype(int) - ground)
        assert gap[:, :3, :3].max() <= 2
        assert gap.max() > 3


def test_films_follow_from_their_numbers() -> None:
    made = pairs(given_fakes=0.5)
    for real in made.reals:
        once, again = film_pair(made, int(real), 5), film_pair(made, int(real), 5)
        assert all(map(np.array_equal, once, again))


def small() -> Network:
    torch.manual_seed(3)
    return Network(Architecture(trunk="mobilenet_v2", width=8, dropout=0.0)).eval()


def test_it_starts_as_the_judge_of_frames() -> None:
    network, judge = small(), torch.nn.Linear(1280, 2)
    features = torch.randn(5, 1, 1280)
    with torch.no_grad():
        margin = (judge(features[:, 0]) @ torch.tensor([1.0, -1.0])).tolist()
        start_as_frames(network, judge)
        logits = network.score(features, torch.ones(5)).logits
    found = (logits[:, 0] - logits[:, 1]).tolist()
    assert np.argsort(found).tolist() == np.argsort(margin).tolist()
    assert found == pytest.approx(margin, abs=0.06)


def test_at_first_a_window_is_the_mean_of_its_frames() -> None:
    network = small()
    start_as_frames(network, torch.nn.Linear(1280, 2))
    features = torch.randn(1, 6, 1280)
    with torch.no_grad():
        whole = network.score(features, torch.tensor([6.0])).logits
        each = network.score(features.reshape(6, 1, 1280), torch.ones(6)).logits
    torch.testing.assert_close(whole[0], each.mean(dim=0), atol=1e-3, rtol=0)


def test_it_learns_what_only_time_tells() -> None:
    """Fakes jump to and fro where reals hold still; no single frame tells them apart."""
    rng = torch.Generator().manual_seed(0)
    steady = torch.randn(160, 1, 1280, generator=rng).expand(-1, 6, -1)
    signs = torch.tensor([1.0, -1.0] * 3)[None, :, None]
    fake = np.arange(160) % 2 == 0
    features = torch.where(torch.from_numpy(fake)[:, None, None], steady * signs, steady)
    films = Films(features=features, fake=fake)
    network = Network(Architecture(trunk="mobilenet_v2", width=32, dropout=0.0))
    start_as_frames(network, torch.nn.Linear(1280, 2))
    found = fit_lstm(network, films, films, recipe(film_epochs=60))
    assert found[0] < 0.7
    assert film_auc(network, films) == pytest.approx(max(found))
    assert max(found) > 0.9


def test_the_loss_that_a_recipe_names_weighs_films_too(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []

    def weighed(logits: torch.Tensor, wanted: torch.Tensor, how: Recipe) -> torch.Tensor:
        named.append(how.loss)
        return logits.sum()

    monkeypatch.setattr(temporal, "weighed", weighed)
    films = Films(features=torch.randn(64, 4, 1280), fake=np.arange(64) % 2 == 0)
    network = Network(Architecture(trunk="mobilenet_v2", width=8, dropout=0.0))
    fit_lstm(network, films, films, recipe(film_epochs=2, loss="binary-cross-entropy"))
    assert named == ["binary-cross-entropy"] * 2


def recipe(**values: str | int) -> Recipe:
    return with_values(find_recipe("strong"), values)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_keeps_the_shape_and_changes_the_picture(name: str) -> None:
    frames = np.stack([picture(i, fake=True, side=SIDE) for i in range(4)])
    person = PersonFrames(person=0, windows=(Window(0, (0.0, 0.1, 0.2, 0.3), frames),))
    [window] = damaged_person(person, DAMAGES[name]).windows
    assert window.frames.shape == frames.shape
    gap = np.abs(window.frames.astype(int) - frames).mean()
    assert 0 < gap < 60
