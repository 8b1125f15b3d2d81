"""Batch normalisation folded into the convolution before it: one pass over memory less each."""

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold(trunk: nn.Module) -> nn.Module:
    """The same function of an `eval` trunk, without its normalisations."""
    traced = fx.symbolic_trace(trunk)
    for node in list(traced.graph.nodes):
        conv = _conv_before(traced, node)
        if conv is not None:
            _merge(traced, conv, node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _conv_before(traced: fx.GraphModule, node: fx.Node) -> fx.Node | None:
    """The convolution whose only reader is this normalisation."""
    if not isinstance(_module(traced, node), nn.BatchNorm2d):
        return None
    [before] = node.all_input_nodes
    alone = len(before.users) == 1
    return before if alone and isinstance(_module(traced, before), nn.Conv2d) else None


def _merge(traced: fx.GraphModule, conv: fx.Node, norm: fx.Node) -> None:
    kernel, scaling = _module(traced, conv), _module(traced, norm)
    assert isinstance(kernel, nn.Conv2d)
    assert isinstance(scaling, nn.BatchNorm2d)
    traced.set_submodule(str(conv.target), fuse_conv_bn_eval(kernel, scaling))
    norm.replace_all_uses_with(conv)
    traced.graph.erase_node(norm)


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return traced.get_submodule(str(node.target)) if node.op == "call_module" else None
