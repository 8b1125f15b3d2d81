"""What a GPU worker loads and tests at its start, before anybody asks for it."""

import dataclasses
import logging
from pathlib import Path

import pytest
import torch

from tasks import models as module
from tasks.models import Models, Unfit
from tests.making.bundles import write_bundle
from unmask.model.bundle import Bundle, open_bundle
from unmask.model.memory import DeviceLost
from unmask.model.predict import Predictor, load
from unmask.model.write import add_golden, write_description

RIGHT = "its golden clip scores right"


def bundle(shelf: Path, name: str, *, off_by: float = 0.0) -> Bundle:
    folder = shelf / name
    add_golden(write_bundle(folder, name=name))
    said = open_bundle(folder).description
    assert said.golden is not None
    golden = dataclasses.replace(said.golden, margin=said.golden.margin + off_by)
    write_description(folder, dataclasses.replace(said, golden=golden))
    return open_bundle(folder)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=module.__name__)
    return caplog


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that were loaded, in order."""
    names: list[str] = []

    def watched(what: Bundle, device: str | None) -> Predictor:
        names.append(what.name)
        return load(what, device)

    monkeypatch.setattr(module, "load", watched)
    return names


def test_the_default_is_ready_where_no_campaign_names_another(
    tmp_path: Path, told: pytest.LogCaptureFixture, loaded: list[str]
) -> None:
    lite = bundle(tmp_path, "lite")
    bundle(tmp_path, "another")
    models = Models(tmp_path, "cpu")
    models.warm_up(["f" * 64])
    [line] = told.messages
    assert line.startswith(f"lite ({lite.digest[:12]}) serves on cpu in ")
    assert line.endswith(RIGHT)
    assert models.predictor(lite.digest).bundle == lite
    assert loaded == ["lite"], "what is ready is not loaded again"


def test_what_campaigns_name_is_ready_the_first_of_them_first(
    tmp_path: Path, loaded: list[str]
) -> None:
    one, two, three = (bundle(tmp_path, name) for name in ("one", "two", "three"))
    bundle(tmp_path, "lite")
    named = ["f" * 64, two.digest, two.digest, one.digest, three.digest]
    Models(tmp_path, "cpu").warm_up(named)
    assert loaded == ["two", "one"], "no more than are kept"


def test_a_wrong_answer_is_told_at_once_and_refused_when_asked_for(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    wrong, right = bundle(tmp_path, "wrong", off_by=1.0), bundle(tmp_path, "right")
    models = Models(tmp_path, "cpu")
    models.warm_up([wrong.digest, right.digest])
    first, second = told.records
    assert first.levelno == logging.ERROR
    assert "computes wrongly" in first.getMessage()
    assert second.getMessage().endswith(RIGHT)
    with pytest.raises(Unfit, match="computes wrongly"):
        models.predictor(wrong.digest)


def test_a_model_without_a_golden_clip_is_told_to_have_none(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    write_bundle(tmp_path / "lite", name="lite")
    Models(tmp_path, "cpu").warm_up([])
    assert told.messages[0].endswith("it has no golden clip")


def test_an_empty_shelf_ends_no_worker(tmp_path: Path, told: pytest.LogCaptureFixture) -> None:
    Models(tmp_path, "cpu").warm_up([])
    assert "no model `lite`" in told.messages[0]


@pytest.mark.parametrize("error", [DeviceLost("gone"), torch.OutOfMemoryError("too large")])
def test_only_a_lost_device_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    bundle(tmp_path, "lite")

    def fails(*_: object) -> Predictor:
        raise error

    monkeypatch.setattr(module, "load", fails)
    models = Models(tmp_path, "cpu")
    if isinstance(error, DeviceLost):
        with pytest.raises(DeviceLost):
            models.warm_up([])
    else:
        models.warm_up([])
