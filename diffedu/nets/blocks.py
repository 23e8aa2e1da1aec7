"""Parts of the networks: how a network is told t, and where its first weights come from."""

import math

import torch
from jaxtyping import Float, Real
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.positions import MAX_PERIOD


def time_embedding(t: Real[Tensor, " b"], d: int) -> Float[Tensor, " b d"]:
    r"""t as sines and cosines of d/2 frequencies (DDPM's code; Vaswani et al. 2017, 3.5).

    Element i is $\sin(\omega_i t)$ and element i + d/2 is $\cos(\omega_i t)$ for i = 0..d/2 - 1;
    $\omega_i = 10000^{-i/(d/2-1)}$ goes from one radian a step down to 10000 steps a radian. All
    sines come first; papers and libraries differ in this and in the -1. t may be real-valued.
    float32, or float64 if t is; computed in float64.
    """
    expect.tensor("t", t)
    if t.ndim != 1 or len(t) == 0:
        expect.fail("t", "shape (B,)", tuple(t.shape))
    expect.finite("t", t)
    expect.integer("d", d, 4)
    if d % 2:
        expect.fail("d", "an even number", d)
    i = torch.arange(d // 2, dtype=torch.float64, device=t.device)
    angle = t.double()[:, None] * torch.exp(-math.log(MAX_PERIOD) * i / (d // 2 - 1))
    both = torch.cat([angle.sin(), angle.cos()], dim=1)
    return both if t.dtype == torch.float64 else both.float()


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    r"""Draw every linear layer's first weights, from `generator` and not from the global state.

    Weight and bias are uniform on $\pm 1/\sqrt{\text{inputs}}$, as torch's own `nn.Linear` has
    them.
    """
    expect.generator("generator", generator)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for weights in layer.parameters(recurse=False):
                nn.init.uniform_(weights, -bound, bound, generator=generator)
