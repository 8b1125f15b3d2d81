"""Checkpoints of the public family answer as the original would, and nothing in them runs."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.making.bundles import person, window
from unmask.errors import Unusable
from unmask.model import vision
from unmask.model.checkpoint import read_checkpoint
from unmask.model.clips import Window
from unmask.model.legacy import Mode, NotOfThisFamily, convert, frames_in_name
from unmask.model.predict import load
from unmask.model.unpickle import UnsafeFile

FILE = "model_97_acc_10_frames_FF_data.pt"
#: The public files have 2048; a narrower one has the same quirks and is quicker to write.
WIDTH = 32
PUBLIC_WIDTH, PUBLIC_TENSORS = 2048, 322


class Original(nn.Module):
    """The family's network as it was published, its two slips included."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        layers = list(vision.resnext50_32x4d(weights=None).children())[:-2]
        self.model = nn.Sequential(*layers)
        # `False` was meant for `bidirectional` and stands in the place of `bias`; `batch_first`
        # was forgotten.
        self.lstm = nn.LSTM(2048, width, 1, False)
        self.linear1 = nn.Linear(width, 2)

    def forward(self, clip: Tensor, pool: Callable[[Tensor], Tensor]) -> Tensor:
        batch, length = clip.shape[:2]
        features = self.model(clip.flatten(0, 1)).mean(dim=(2, 3)).view(batch, length, -1)
        states, _ = self.lstm(features)
        logits: Tensor = self.linear1(pool(states))
        return logits.softmax(dim=1)


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "origin-last": lambda states: states[:, -1],
    "origin-mean": lambda states: states.mean(dim=1),
}


@pytest.fixture(scope="module")
def original() -> Original:
    return made(WIDTH)


def made(width: int) -> Original:
    torch.manual_seed(3)
    network = Original(width).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            module.running_mean.uniform_(-0.1, 0.1)
    network.linear1.weight.data *= 20
    return network


@pytest.fixture(scope="module")
def checkpoint(original: Original, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("old") / FILE
    torch.save(original.state_dict(), path)
    return path


def as_the_original_saw_it(clip: Window) -> Tensor:
    """BGR pixels with the mean and deviation of RGB, one clip as a batch of one."""
    bgr = torch.from_numpy(clip.frames[..., ::-1].copy()).float() / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((bgr - mean) / deviation).permute(0, 3, 1, 2)[None]


@pytest.mark.parametrize("mode", ["origin-last", "origin-mean"])
def test_answers_as_the_original_at_batch_one(
    original: Original, checkpoint: Path, tmp_path: Path, mode: Mode
) -> None:
    bundle = convert(checkpoint, tmp_path / "out", mode=mode)
    assert (bundle.spec.frames, bundle.spec.box, bundle.architecture.mode) == (10, "squash", mode)
    clips = [window(length, seed) for seed, length in enumerate((10, 10, 7, 3))]
    with torch.inference_mode():
        known = [float(original(as_the_original_saw_it(clip), POOLS[mode])[0, 0]) for clip in clips]
    assert max(known) - min(known) > 1e-3
    predictor = load(bundle, "cpu", "fp32")
    together = predictor.score([person(*clips)])[0]
    assert [score.raw for score in together] == pytest.approx(known, abs=1e-5)
    for clip, answer in zip(clips, known, strict=True):
        assert predictor.score([person(clip)])[0][0].raw == pytest.approx(answer, abs=1e-5)


def test_a_file_of_the_public_size_answers_as_the_original(tmp_path: Path) -> None:
    public = made(PUBLIC_WIDTH)
    state = public.state_dict()
    assert len(state) == PUBLIC_TENSORS
    torch.save(state, tmp_path / FILE)
    bundle = convert(tmp_path / FILE, tmp_path / "out")
    assert bundle.architecture.width == PUBLIC_WIDTH
    clips = [window(length, seed) for seed, length in enumerate((3, 1))]
    pool = POOLS["origin-last"]
    with torch.inference_mode():
        known = [float(public(as_the_original_saw_it(clip), pool)[0, 0]) for clip in clips]
    assert abs(known[0] - known[1]) > 1e-3
    found = load(bundle, "cpu", "fp32").score([person(*clips)])[0]
    assert [score.raw for score in found] == pytest.approx(known, abs=1e-5)


def test_the_original_itself_leaks_between_clips(original: Original) -> None:
    """Why there is a named mode: in a larger batch the original's answer depends on its mates."""
    one, other = (as_the_original_saw_it(window(3, seed)) for seed in (1, 2))
    with torch.inference_mode():
        alone = original(one, POOLS["origin-mean"])[0]
        second = original(torch.cat([other, one]), POOLS["origin-mean"])[1]
    assert not torch.allclose(alone, second, atol=1e-5)


def test_temporal_mode_sees_the_order_and_origin_does_not(checkpoint: Path, tmp_path: Path) -> None:
    clip = window(5, 1)
    backwards = clip._replace(frames=clip.frames[::-1].copy())
    modes: dict[Mode, bool] = {"temporal": True, "origin-mean": False}
    for mode, differs in modes.items():
        bundle = convert(checkpoint, tmp_path / mode, mode=mode)
        forward, reverse = load(bundle, "cpu", "fp32").margins([clip, backwards])
        assert (abs(forward.window - reverse.window) > 1e-5) is differs


def test_converted_bundle_never_says_fake_or_real(checkpoint: Path, tmp_path: Path) -> None:
    bundle = convert(checkpoint, tmp_path / "out")
    assert bundle.calibration is None
    assert bundle.description.quality == {"accuracy_claimed_by_file_name": 0.97}
    load(bundle, "cpu").self_test()


def test_the_layout_before_torch_1_6_reads_the_same(original: Original, tmp_path: Path) -> None:
    for zipped in (True, False):
        torch.save(
            original.state_dict(), tmp_path / f"{zipped}.pt", _use_new_zipfile_serialization=zipped
        )
    new, old = (read_checkpoint(tmp_path / f"{zipped}.pt") for zipped in (True, False))
    assert new.keys() == old.keys() == original.state_dict().keys()
    assert all(torch.equal(new[name], tensor) for name, tensor in original.state_dict().items())
    assert all(torch.equal(old[name], new[name]) for name in new)


def test_missing_and_surplus_tensors_are_named(original: Original, tmp_path: Path) -> None:
    state = original.state_dict()
    del state["model.4.0.conv1.weight"]
    state["extra.weight"] = torch.zeros(2)
    state["linear1.bias"] = torch.zeros(3)
    torch.save(state, tmp_path / FILE)
    with pytest.raises(NotOfThisFamily) as refusal:
        convert(tmp_path / FILE, tmp_path / "out")
    for name in ("trunk.layer1.0.conv1.weight", "extra.weight", "linear.bias"):
        assert name in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_window_length_is_in_the_name() -> None:
    assert frames_in_name("model_97_acc_100_frames_FF_data.pt") == 100
    assert frames_in_name("model_93_acc_40_frames_celeb_FF_data.pt") == 40
    with pytest.raises(NotOfThisFamily, match="--frames"):
        frames_in_name("best.pt")


@pytest.mark.parametrize("claimed", ["0", "1001", "99999999"])
def test_a_window_length_that_no_file_has_is_refused(tmp_path: Path, claimed: str) -> None:
    with pytest.raises(NotOfThisFamily, match=f"windows of {claimed} frames; name") as refusal:
        convert(tmp_path / f"model_97_acc_{claimed}_frames.pt", tmp_path / "out")
    assert "--frames, from 1 to 1000" in str(refusal.value)
    assert len(str(refusal.value)) < 150


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (torch.full((2, WIDTH), torch.nan), "not finite: linear.weight"),
        (torch.full((2, WIDTH), 1e300, dtype=torch.float64), "not finite: linear.weight"),
        (torch.ones((2, WIDTH), dtype=torch.int64), "of another type: linear.weight"),
    ],
)
def test_odd_numbers_are_refused_by_the_name_of_the_users_own_file(
    original: Original, tmp_path: Path, odd: Tensor, words: str
) -> None:
    torch.save(original.state_dict() | {"linear1.weight": odd}, tmp_path / FILE)
    with pytest.raises(NotOfThisFamily, match=words) as refusal:
        convert(tmp_path / FILE, tmp_path / "out")
    assert str(tmp_path / FILE) in str(refusal.value)
    assert ".writing-" not in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_an_lstm_without_width_is_refused(tmp_path: Path) -> None:
    torch.save({"lstm.weight_hh_l0": torch.zeros(1, 20_000)}, tmp_path / FILE)
    with pytest.raises(NotOfThisFamily, match="of an LSTM"):
        convert(tmp_path / FILE, tmp_path / "out")


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def bombs(target: Path) -> dict[str, object]:
    return {
        "object": Bomb(target),
        "value": {"weight": torch.zeros(2), "more": Bomb(target)},
        "module": nn.Linear(2, 2),
        "not tensors": {"weight": [1, 2]},
        "empty": {},
        "list": [torch.zeros(2)],
    }


@pytest.mark.parametrize("kind", list(bombs(Path())))
@pytest.mark.parametrize("zipped", [True, False])
def test_files_that_want_code_are_refused_and_run_nothing(
    tmp_path: Path, kind: str, zipped: bool
) -> None:
    target, path = tmp_path / "ran", tmp_path / FILE
    torch.save(bombs(target)[kind], path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeFile) as refusal:
        read_checkpoint(path)
    assert str(path) in str(refusal.value)
    assert not target.exists()


def test_plain_pickles_and_other_files_are_refused(tmp_path: Path) -> None:
    target, path = tmp_path / "ran", tmp_path / FILE
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(Bomb(target), protocol=protocol))
        with pytest.raises(UnsafeFile):
            read_checkpoint(path)
    for content in (b"", b"PK\x03\x04", b"not a model", b"\x80\x02r\xff\xff\xff\x7f."):
        path.write_bytes(content)
        with pytest.raises(UnsafeFile):
            read_checkpoint(path)
    assert not target.exists()
    with pytest.raises(UnsafeFile, match="can't be read"):
        read_checkpoint(tmp_path / "nosuch.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_files_are_refused_or_read_never_more(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / FILE
    torch.save({"a": torch.arange(6.0), "b": torch.ones(2, 3)}, path,
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    whole = path.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 150)):
        for damaged in (whole[:position], _flipped(whole, position)):
            path.write_bytes(damaged)
            try:
                tensors = read_checkpoint(path)
            except Unusable:
                continue
            assert all(tensor.numel() <= 6 for tensor in tensors.values())


def _flipped(whole: bytes, position: int) -> bytes:
    return whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
