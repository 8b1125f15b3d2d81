"""Weights come back as they were written, and odd ones are refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from tests.making.bundles import description, window, write_bundle
from unmask.model import write
from unmask.model.bundle import BadBundle, Bundle, open_bundle
from unmask.model.description import Description
from unmask.model.predict import build, load
from unmask.model.seeded import seeded_state
from unmask.model.weights import State, StoredEncoding, decode, encode

#: A seed, and the numbers that PCG64's stream gives for it, worked out in double precision.
KNOWN_SEED = 5
KNOWN = [-0.68604297, 0.88302233, -0.47416182, 0.96765792, 0.75191984, -0.33513943]


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_bundle(tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def state(seeded: Bundle) -> State:
    return dict(build(seeded).state_dict())


def stored(folder: Path, bundle: Bundle, state: State, encoding: StoredEncoding) -> Bundle:
    said: Description = bundle.description
    return write.write_bundle(folder, said, state, encoding)


@pytest.mark.parametrize(
    ("encoding", "bounds"), [("fp32", (1e-6, 1.0)), ("bf16", (0.02, 0.52)), ("int8", (0.05, 0.28))]
)
def test_encodings_keep_the_scores(
    tmp_path: Path,
    seeded: Bundle,
    state: State,
    encoding: StoredEncoding,
    bounds: tuple[float, float],
) -> None:
    """Bounds: how far the margin may be off, and the file's share of the size in float32."""
    off, most = bounds
    bundle = stored(tmp_path / "out", seeded, state, encoding)
    clip = window(6, seed=1)
    [known], [found] = (load(b, "cpu", "fp32").margins([clip]) for b in (seeded, bundle))
    assert found.window == pytest.approx(known.window, abs=off)
    size = (tmp_path / "out" / "weights.safetensors").stat().st_size
    numbers = sum(4 * tensor.numel() for tensor in state.values())
    assert size <= most * numbers + 100_000
    load(bundle, "cpu").self_test()


def test_int8_is_off_by_half_a_step_at_most() -> None:
    weights = torch.randn(8, 3, 3, 3) * torch.logspace(-3, 3, 8)[:, None, None, None]
    weights[0] = 0
    found = decode(_loaded(encode({"w": weights}, "int8")))["w"]
    step = weights.flatten(1).abs().amax(dim=1) / 127
    assert ((found - weights).flatten(1).abs().amax(dim=1) <= 0.5001 * step + 1e-30).all()


def test_a_seed_means_the_same_numbers_everywhere() -> None:
    """Written down on one machine; another that differs must not serve."""
    [tensor] = seeded_state({"trunk.x.weight": torch.Size([2, 3])}, KNOWN_SEED).values()
    again = seeded_state({"trunk.x.weight": torch.Size([2, 3])}, KNOWN_SEED)["trunk.x.weight"]
    assert torch.equal(tensor, again)
    assert tensor.flatten().numpy() == pytest.approx(np.array(KNOWN), abs=1e-7)
    other = seeded_state({"trunk.x.weight": torch.Size([2, 3])}, KNOWN_SEED + 1)["trunk.x.weight"]
    assert not torch.equal(tensor, other)


def test_a_changed_byte_is_refused(tmp_path: Path, seeded: Bundle, state: State) -> None:
    bundle = stored(tmp_path / "out", seeded, state, "bf16")
    path = tmp_path / "out" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadBundle, match="has digest"):
        load(bundle, "cpu")
    path.unlink()
    with pytest.raises(BadBundle, match="can't be read"):
        load(bundle, "cpu")


def broken(state: State, kind: str) -> State:
    changed = dict(state)
    match kind:
        case "missing":
            del changed["linear.weight"]
        case "surplus":
            changed["extra.weight"] = torch.zeros(2)
        case "of another shape":
            changed["linear.weight"] = torch.zeros(3, 32)
        case "not finite":
            changed["linear.weight"] = torch.full((2, 32), torch.nan)
    return changed


@pytest.mark.parametrize("kind", ["missing", "surplus", "of another shape", "not finite"])
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, seeded: Bundle, state: State, kind: str
) -> None:
    with pytest.raises(BadBundle, match=kind) as refusal:
        stored(tmp_path / "out", seeded, broken(state, kind), "fp32")
    assert ("extra.weight" if kind == "surplus" else "linear.weight") in str(refusal.value)
    assert not (tmp_path / "out").exists()


def with_weights(folder: Path, raw: bytes) -> Bundle:
    """A bundle that names these very bytes, whatever they are."""
    weights = {
        "encoding": "fp32",
        "file": "weights.safetensors",
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    (folder / "weights.safetensors").write_bytes(raw)
    return write_bundle(folder, weights=weights)


COUNTED = "trunk.0.1.num_batches_tracked"
#: Tensors in the place of the right ones, and what is said of them.
ODD: dict[str, tuple[State, str]] = {
    "int32": ({"linear.weight": torch.ones(2, 32, dtype=torch.int32)}, "another type: linear.we"),
    "int8": ({"linear.weight": torch.ones(2, 32, dtype=torch.int8)}, "another type: linear.we"),
    "bool": ({"linear.bias": torch.ones(2, dtype=torch.bool)}, "another type: linear.bias"),
    "complex": ({"linear.bias": torch.ones(2, dtype=torch.cfloat)}, "another type: linear.bias"),
    "a counter of floats": ({COUNTED: torch.tensor(3.0)}, f"another type: {COUNTED}"),
    "beyond float32": (
        {"linear.bias": torch.full((2,), 1e300, dtype=torch.float64)},
        "not finite: linear.bias",
    ),
    "a surplus scale": ({"nosuch::scale": torch.ones(2)}, "theirs .nosuch::scale"),
    "a scale of floats": ({"linear.weight::scale": torch.ones(2)}, "theirs .linear.weight::sc"),
    "a scale of another length": (
        {
            "linear.weight": torch.ones(2, 32, dtype=torch.int8),
            "linear.weight::scale": torch.ones(3),
        },
        "theirs .linear.weight::scale",
    ),
    "a scale of whole numbers": (
        {
            "linear.weight": torch.ones(2, 32, dtype=torch.int8),
            "linear.weight::scale": torch.ones(2, dtype=torch.int64),
        },
        "theirs .linear.weight::scale",
    ),
    "a scale of nothing": (
        {"linear.bias": torch.ones(2, dtype=torch.int8), "linear.bias::scale": torch.ones(2)},
        "theirs .linear.bias::scale",
    ),
    "a name that steers": ({"\x1b[2J" + "x" * 999: torch.ones(1)}, r"surplus: .x1b\[2Jx{73}\)"),
}


@pytest.mark.parametrize("kind", list(ODD))
def test_odd_numbers_are_refused_in_one_sentence(tmp_path: Path, state: State, kind: str) -> None:
    changes, words = ODD[kind]
    bundle = with_weights(tmp_path, safetensors.torch.save(state | changes))
    with pytest.raises(BadBundle, match=words) as refusal:
        load(bundle, "cpu")
    assert str(tmp_path / "weights.safetensors") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_numbers_that_torch_does_not_know_are_refused(tmp_path: Path) -> None:
    """The format knows more types than torch does."""
    header = b'{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}'
    raw = len(header).to_bytes(8, "little") + header + b"\0"
    with pytest.raises(BadBundle, match="F4"):
        load(with_weights(tmp_path, raw), "cpu")


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    raw = b"\x80\x04not tensors"
    fields: dict[str, Any] = description(
        weights={
            "encoding": "fp32",
            "file": "weights.safetensors",
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
    )
    (tmp_path / "model.json").write_text(json.dumps(fields))
    (tmp_path / "weights.safetensors").write_bytes(raw)
    with pytest.raises(BadBundle, match="no safetensors file"):
        load(open_bundle(tmp_path), "cpu")


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path, seeded: Bundle, state: State) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(Exception, match="not empty"):
        stored(tmp_path / "out", seeded, state, "bf16")
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _loaded(raw: bytes) -> State:
    return safetensors.torch.load(raw)
