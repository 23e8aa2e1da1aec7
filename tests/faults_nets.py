"""What goes wrong in nets/blocks.py; the faults of mlp.py and train.py are gathered here too."""

import torch
from torch import nn

import faults_mlp
import faults_train
from planting import Fault

BLOCKS = "diffedu.nets.blocks"


def embedding(wrong):
    """The embedding from (t, i, d/2), with a wrong part."""

    def replacement(original):
        def time_embedding(t, d):
            i = torch.arange(d // 2, dtype=torch.float64)
            return wrong(t.double()[:, None], i, d // 2).to(original(t, d))

        return time_embedding

    return replacement


def sines_and_cosines(angle):
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def cosines_first(t, i, n):
    angle = t * 10_000 ** (-i / (n - 1))
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def alternating(t, i, n):
    angle = t * 10_000 ** (-i / (n - 1))
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


def in_float32(t, i, n):
    return sines_and_cosines(t.float() * 10_000 ** (-i.float() / (n - 1)))


def drawing(bound=lambda layer: layer.in_features**-0.5, bias=True, again=False):
    """initialise, with another bound, without the biases, or from the start for each layer."""

    def replacement(original):
        def initialise(network, generator):
            start = generator.get_state()
            for layer in network.modules():
                if isinstance(layer, nn.Linear):
                    generator.set_state(start if again else generator.get_state())
                    for weights in layer.parameters(recurse=False):
                        size = bound(layer) if bias or weights.ndim == 2 else 0.0
                        nn.init.uniform_(weights, -size, size, generator=generator)

        return initialise

    return replacement


def from_the_global_state(original):
    def initialise(network, generator):
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()

    return initialise


def fault(name, replacement):
    return Fault(name, f"{BLOCKS}.{name.split(':')[0]}", replacement, ("tests/test_blocks.py",))


FAULTS = (
    fault("time_embedding: cosines first", embedding(cosines_first)),
    fault("time_embedding: sine and cosine alternate", embedding(alternating)),
    fault("time_embedding: angles in float32", embedding(in_float32)),
    fault(
        "time_embedding: frequencies end one short",
        embedding(lambda t, i, n: sines_and_cosines(t * 10_000 ** (-i / n))),
    ),
    fault(
        "initialise: one over the inputs, without the root",
        drawing(lambda layer: 1 / layer.in_features),
    ),
    fault(
        "initialise: by the outputs",
        drawing(lambda layer: layer.out_features**-0.5),
    ),
    fault("initialise: biases are 0", drawing(bias=False)),
    fault("initialise: every layer from the same start", drawing(again=True)),
    fault("initialise: from the global state", from_the_global_state),
    *faults_mlp.FAULTS,
    *faults_train.FAULTS,
)
