"""What each attention layer of a network looked at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.heads import AttentionCore, AttentionLayer

Maps = dict[str, list[Float[Tensor, "b heads n_q n_k"]]]


@contextmanager
def record_attention(model: nn.Module) -> Iterator[Maps]:
    """Keep the weights of every attention layer while a network runs.

        with record_attention(model) as maps:
            model(x)
        maps["down.1.attention"][0]   # (B, heads, n_q, n_k) of the first forward call

    One entry per forward call of each layer; layers are named as in `model.named_modules()`, a
    model that is itself a layer by its class. The weights are computed beside the network from its
    own q and k, in float32 at least: its results do not change. They carry no gradient and are kept
    until you let go of them, heads * n_q * n_k numbers a call. The hooks are gone afterwards, also
    after an error.
    """
    if not isinstance(model, nn.Module):
        expect.fail("model", "a network (nn.Module)", type(model).__name__)
    cores = dict(_cores(model))
    if not cores:
        expect.fail("model", "at least one attention layer of diffedu.nets", type(model).__name__)
    maps: Maps = {name: [] for name in cores}
    hooks = [core.register_forward_hook(_keep(maps[name])) for name, core in cores.items()]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def _cores(model: nn.Module) -> Iterator[tuple[str, AttentionCore]]:
    """The core of each outermost attention layer, under that layer's name."""
    layers = {n: m for n, m in model.named_modules() if isinstance(m, AttentionLayer)}
    for name, layer in layers.items():
        inside = any(name != other and _lies_in(name, other) for other in layers)
        if not inside:
            core = next(m for m in layer.modules() if isinstance(m, AttentionCore))
            yield name or type(layer).__name__, core


def _lies_in(name: str, other: str) -> bool:
    return other == "" or name.startswith(f"{other}.")


def _keep(entries: list[Tensor]) -> Callable[..., None]:
    """A hook that appends the weights for the q, k and mask that went into the core."""

    def hook(core: AttentionCore, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        q, k, _, *mask = inputs
        # in half precision the rows would sum to 1 only to about .01
        with torch.no_grad(), torch.autocast(q.device.type, enabled=False):
            entries.append(core.weights(_precise(q), _precise(k), *mask))

    return hook


def _precise(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
