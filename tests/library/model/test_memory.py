"""Too little memory halves the batch and changes no score; a lost device is said so."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.making.bundles import person, window, write_bundle
from unmask.model.engine import Engine, Free
from unmask.model.loading import FrameLine
from unmask.model.memory import (
    DeviceLost,
    free_memory,
    halving,
    naming_lost_device,
    working_memory,
)
from unmask.model.plan import SHARE
from unmask.model.predict import build, load


class Shortage:
    """Stands before a function of a batch and plays a device with room for only so many."""

    def __init__(self, room: int, inner: Any) -> None:
        self.room, self.inner = room, inner
        self.sizes: list[int] = []

    def __call__(self, batch: Any, *rest: Any) -> Any:
        self.sizes.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.inner(batch, *rest)


def test_halves_keep_their_order() -> None:
    short = Shortage(3, list)
    assert list(chain(*halving(list(range(10)), short))) == list(range(10))
    assert max(size for size in short.sizes if size <= 3) <= 3


def test_what_does_not_fit_alone_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        halving([1, 2], Shortage(0, list))


def test_other_errors_are_not_taken_for_shortage() -> None:
    def fails(_: list[int]) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        halving([1, 2], fails)


def test_scores_are_the_same_with_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = write_bundle(tmp_path)
    clips = [person(window(length, length)) for length in (20, 3, 20, 11, 20)]
    ample = load(bundle, "cpu", "fp32").score(clips)
    run_trunk, run_lstm = Engine._run_trunk, Engine._run_lstm
    trunk = Shortage(5, None)
    lstm = Shortage(2, None)

    def short_trunk(self: Engine, frames: Any) -> Any:
        trunk.inner = lambda batch: run_trunk(self, batch)
        return trunk(frames)

    def short_lstm(self: Engine, windows: Any, some: Any) -> Any:
        lstm.inner = lambda batch: run_lstm(self, windows, batch)
        return lstm(some)

    monkeypatch.setattr(Engine, "_run_trunk", short_trunk)
    monkeypatch.setattr(Engine, "_run_lstm", short_lstm)
    short = load(bundle, "cpu", "fp32").score(clips)
    for one, other in zip(ample, short, strict=True):
        assert other[0].raw == pytest.approx(one[0].raw, abs=1e-5)
    assert max(trunk.sizes) > 5
    assert max(lstm.sizes) > 2


def test_after_a_shortage_no_more_are_tried_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the trunk, and not by the LSTM."""
    predictor = load(write_bundle(tmp_path), "cpu", "fp32")
    clips = [person(window(20, seed)) for seed in range(4)]
    trunk, lstm = watched(monkeypatch, "_run_trunk", 0), watched(monkeypatch, "_run_lstm", 1)
    trunk.room, lstm.room = 8, 2
    predictor.score(clips)
    assert (max(trunk.sizes), max(lstm.sizes)) == (32, 4)
    trunk.sizes.clear()
    lstm.sizes.clear()
    predictor.score(clips)
    assert (max(trunk.sizes), max(lstm.sizes)) == (8, 2)


def watched(monkeypatch: pytest.MonkeyPatch, name: str, place: int) -> Shortage:
    """A method of the engine, of whose arguments the one at that place is the batch."""
    inner, short = getattr(Engine, name), Shortage(10**6, None)

    def run(self: Engine, *given: Any) -> Any:
        short.inner = lambda batch: inner(self, *given[:place], batch, *given[place + 1 :])
        return short(given[place])

    monkeypatch.setattr(Engine, name, run)
    return short


def test_as_many_go_together_as_there_is_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is asked for anew: what another process took or gave back counts."""
    bundle = write_bundle(tmp_path)
    room = 0

    def engine(free: Free) -> Engine:
        return Engine(build(bundle), bundle.description, torch.device("cpu"), "fp32", free=free)

    frames = [window(20, seed).frames for seed in range(4)]
    trunk, lstm = watched(monkeypatch, "_run_trunk", 0), watched(monkeypatch, "_run_lstm", 1)

    def scored(by: Engine) -> Any:
        trunk.sizes.clear()
        lstm.sizes.clear()
        with torch.inference_mode():
            features = by.features(FrameLine(frames), lambda: None)
            return by.score(torch.split(features, 20), lambda: None).logits

    ample, tight = engine(lambda _: None), engine(lambda _: room)
    known = scored(ample)
    assert (max(trunk.sizes), max(lstm.sizes)) == (32, 4)
    assert scored(tight).numpy() == pytest.approx(known.numpy(), abs=1e-4)
    assert (max(trunk.sizes), max(lstm.sizes)) == (1, 1)
    room = 1 << 40
    scored(tight)
    assert (max(trunk.sizes), max(lstm.sizes)) == (32, 4)
    room = 24 * tight._frame_bytes
    scored(tight)
    assert max(trunk.sizes) == int(24 * SHARE)


def test_working_memory_is_what_the_widest_layer_holds_and_a_shortcut_beside_it() -> None:
    layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    given = torch.zeros(1, 4)
    assert working_memory(layers, lambda: layers(given)) == 2 * 4 * (8 + 8)
    assert not any(layer._forward_hooks for layer in layers)


def test_what_torch_keeps_for_itself_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_memory(torch.device("cpu")) is None
    said = {"mem_get_info": (100, 1000), "memory_reserved": 50, "memory_allocated": 20}
    for name, answer in said.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, answer=answer: answer)
    assert free_memory(torch.device("cuda")) == 130


CUDA = torch.device("cuda")


def answers(_: torch.device) -> None:
    """A card that works."""


def fails(_: torch.device) -> None:
    raise torch.AcceleratorError("CUDA error: unspecified launch failure\nmore")


def test_a_sticky_error_says_that_the_worker_must_restart() -> None:
    with (
        pytest.raises(DeviceLost, match=r"illegal memory access[^\n]*restart"),
        naming_lost_device(CUDA, answers),
    ):
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nmore")


@pytest.mark.parametrize(
    "words",
    [
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(handle)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    ],
)
def test_so_do_the_libraries_below_torch(words: str) -> None:
    with pytest.raises(DeviceLost, match="STATUS"), naming_lost_device(CUDA, answers):
        raise RuntimeError(words)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), torch.OutOfMemoryError("CUDA")])
def test_after_any_other_error_the_card_is_asked(error: RuntimeError) -> None:
    with pytest.raises(DeviceLost, match="launch failure"), naming_lost_device(CUDA, fails):
        raise error
    with pytest.raises(type(error)) as kept, naming_lost_device(CUDA, answers):
        raise error
    assert kept.value is error


def test_on_the_cpu_no_card_is_asked() -> None:
    with (
        pytest.raises(RuntimeError, match="shapes"),
        naming_lost_device(torch.device("cpu"), fails),
    ):
        raise RuntimeError("shapes differ")


@pytest.mark.parametrize(
    "words",
    [
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_a_shortage_in_a_library_is_one(words: str) -> None:
    def short(batch: list[int]) -> list[int]:
        if len(batch) > 1:
            raise RuntimeError(words)
        return batch

    assert halving([1, 2, 3], short) == [[1], [2], [3]]
    with pytest.raises(RuntimeError, match="ALLOC"), naming_lost_device(CUDA, answers):
        halving([1], lambda _: short([1, 2]))
