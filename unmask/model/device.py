"""Where to compute, and how exactly: the one place that asks what the machine can do."""

from typing import Literal

import torch

from unmask.errors import Unusable

Precision = Literal["fp32", "bf16"]

DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}


def choose_device(wanted: str | None) -> torch.device:
    """What the caller named, else a CUDA card where there is one, else the CPU."""
    try:
        device = torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise Unusable(f"unknown device `{wanted}`; say `cpu`, `cuda` or `cuda:1`") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise Unusable("no CUDA card can be used here; say `--device cpu`")
    if device.type not in ("cpu", "cuda"):
        raise Unusable(f"device `{device}` is not supported; say `cpu` or `cuda`")
    return device


def use_threads(count: int) -> None:
    """So many for computing on the CPU; 0 leaves it to torch."""
    if count:
        torch.set_num_threads(count)


def choose_precision(device: torch.device) -> Precision:
    """bf16 where the hardware multiplies it directly; emulating it would be slower than fp32."""
    fast = (
        torch.cuda.is_bf16_supported(including_emulation=False)
        if device.type == "cuda"
        else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return "bf16" if fast else "fp32"
