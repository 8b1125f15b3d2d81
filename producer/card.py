"""Whether the classifier has a GPU here: from files, for asking torch would cost two seconds."""

import importlib.util
from pathlib import Path

AUTO = "auto"
#: Present where an NVIDIA driver is.
GPU_DEVICE = Path("/dev/nvidiactl")
#: Present where torch was built for such cards.
_LIBRARY = "lib/libtorch_cuda.so"


def has_gpu(device: str) -> bool:
    return device.startswith("cuda") or (
        device == AUTO and GPU_DEVICE.exists() and torch_knows_cards()
    )


def place_of(device: str) -> str:
    """Where the classifier computes, in words."""
    if has_gpu(device):
        return "the GPU"
    if device != AUTO:
        return "the CPU, as UNMASK_DEVICE says"
    if GPU_DEVICE.exists():
        return "the CPU: there is a GPU, but torch here was built without CUDA"
    return "the CPU: there is no GPU here"


def torch_knows_cards() -> bool:
    torch = importlib.util.find_spec("torch")
    folders = (torch.submodule_search_locations if torch else None) or ()
    return any(Path(folder, _LIBRARY).exists() for folder in folders)
