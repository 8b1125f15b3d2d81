"""A compact network for single pictures: five plain convolutions, a hundred times less than a
ResNeXt50. Pictures (N, 3, S, S) → maps (N, 128, S/16, S/16), as every trunk gives them.
"""

from torch import nn

#: Maps after each stage, and the side of its kernels; all but the last halve the picture.
_STAGES = ((16, 3), (32, 5), (64, 3), (96, 3))
FEATURES = 128


def compact() -> nn.Module:
    stages: list[nn.Module] = []
    inputs = 3
    for outputs, side in _STAGES:
        stages.append(_stage(inputs, outputs, side, stride=2))
        inputs = outputs
    return nn.Sequential(*stages, _stage(inputs, FEATURES, 3, stride=1))


def _stage(inputs: int, outputs: int, side: int, *, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
