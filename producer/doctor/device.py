"""Where the classifier will compute, and whether it computes rightly there."""

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

from producer.card import AUTO, GPU_DEVICE, has_gpu
from producer.doctor.finding import Finding, bad, note, well
from unmask.errors import Unusable
from unmask.model.shelf import default_name, find_bundle

if TYPE_CHECKING:
    from settings import Settings

WHAT = "classifier"


def check(settings: "Settings") -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        yield _without_torch(settings.device)
        return
    if settings.device == AUTO and GPU_DEVICE.exists() and not _cuda():
        yield bad(
            WHAT,
            "this machine has an NVIDIA card, and torch can't use it",
            "install torch with CUDA and a driver that fits, or set UNMASK_DEVICE=cpu",
        )
        return
    yield _computed(settings)


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _without_torch(device: str) -> Finding:
    says = "torch is not installed: this machine can serve `workers.cpu`, and not `workers.gpu`"
    if device.startswith("cuda"):
        return bad(WHAT, f"UNMASK_DEVICE={device}, but {says}", "install torch")
    return note(WHAT, says)


def _computed(settings: "Settings") -> Finding:
    """The bundle's golden clip has a known score: a machine that computes wrongly shows."""
    name = default_name(gpu=has_gpu(settings.device), shelf=settings.models_dir)
    bundle = find_bundle(name, settings.models_dir)
    wanted = None if settings.device == AUTO else settings.device
    try:
        from unmask.model.predict import load

        predictor = load(bundle, wanted)
        predictor.self_test()
    except Unusable as error:
        return bad(WHAT, str(error), "correct UNMASK_DEVICE or the installation of torch")
    where = f"{_named(predictor.device)} in {predictor.precision}"
    if bundle.golden is None:
        return well(WHAT, f"uses {where}; {name} brings no clip to test it with")
    return well(WHAT, f"uses {where}, where {name} gives its known answer")


def _named(device: str) -> str:
    import torch

    if not device.startswith("cuda"):
        return f"the CPU ({torch.get_num_threads()} threads)"
    return f"{device} ({torch.cuda.get_device_name(device)})"
