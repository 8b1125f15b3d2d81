"""A faster way back through strided depthwise convolutions on a CPU.

The usual kernel for their input gradient takes 137 ms where its neighbours take 7 (96 channels,
56×56, 64 pictures, bf16): a fifth of a whole MobileNetV2 step. Written as what it is, an ordinary
depthwise convolution over the gradient with zeros between its samples, it takes 15. Together the
four of MobileNetV2 made a training step twice as fast.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_SIDE, _STRIDE = 3, 2


class _Strided(torch.autograd.Function):
    """3×3, stride 2, padding 1, one kernel per channel, even sides."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, kernels)
        return functional.conv2d(inputs, kernels, None, _STRIDE, 1, 1, len(kernels))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        [gradient] = gradients
        inputs, kernels = ctx.saved_tensors
        spread = torch.zeros_like(inputs)
        spread[:, :, ::_STRIDE, ::_STRIDE] = gradient
        turned = kernels.flip(2, 3)
        to_inputs = functional.conv2d(spread, turned, None, 1, 1, 1, len(kernels))
        to_kernels = torch.ops.aten.convolution_backward(
            gradient, inputs, kernels, None, [_STRIDE] * 2, [1, 1], [1, 1], False, [0, 0],
            len(kernels), [False, True, False],
        )[1]  # fmt: skip
        return to_inputs, to_kernels


class QuickStrided(nn.Conv2d):
    """Takes the place of such a convolution, under the same parameter name."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the base class names it so
        both = (input, self.weight)
        if torch.is_autocast_enabled("cpu"):
            both = (input.bfloat16(), self.weight.bfloat16())
        found: Tensor = _Strided.apply(*both)  # type: ignore[no-untyped-call]
        return found


def quicken(module: nn.Module) -> None:
    """Replaces every convolution that this can stand in for, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d) and _fits(child):
            stand_in = QuickStrided(
                child.in_channels, child.out_channels, _SIDE, _STRIDE, 1,
                groups=child.groups, bias=False,
            )  # fmt: skip
            stand_in.weight = child.weight
            setattr(module, name, stand_in)
        else:
            quicken(child)


def _fits(convolution: nn.Conv2d) -> bool:
    return (
        convolution.groups == convolution.in_channels == convolution.out_channels
        and convolution.kernel_size == (_SIDE, _SIDE)
        and convolution.stride == (_STRIDE, _STRIDE)
        and convolution.padding == (1, 1)
        and convolution.dilation == (1, 1)
        and convolution.bias is None
    )
