"""What goes wrong in the equations of notebook 10."""

import torch

from faults_mlp import block, scale_without_one
from planting import Fault

NETS = "diffedu.nets"
CROSS = ("tests/test_identities_cross.py",)


def keys_as_values(original):
    """One projection for what a token is asked by and what it says."""

    def forward(self, x, context=None, mask=None):
        to_v, self.to_v = self.to_v, self.to_k
        try:
            return original(self, x, context, mask)
        finally:
            self.to_v = to_v

    return forward


def caption_of_the_neighbour(original):
    def forward(self, x, context, mask=None):
        return original(self, x, context.roll(1, 0), None if mask is None else mask.roll(1, 0))

    return forward


def padding_heard(original):
    return lambda self, x, context, mask=None: original(self, x, context)


def padding_alone_heard(original):
    """The mask the wrong way round, where that leaves something to look at."""

    def forward(self, x, context, mask=None):
        if mask is not None:
            mask = torch.where(mask.all(1, keepdim=True), mask, ~mask)
        return original(self, x, context, mask)

    return forward


def sigmoid_for_softmax(original):
    """Each key for itself: a gate."""

    def fused_attention(q, k, v, mask=None):
        return (q @ k.mT / q.shape[-1] ** 0.5).sigmoid() @ v

    return fused_attention


def time_stands_first(original):
    """The right answer, but the map's last column is a pixel."""

    def forward(self, x, time):
        from diffedu.nets.heads import merge_heads, split_heads
        from diffedu.nets.spatial import to_map, to_tokens

        pixels, time = to_tokens(self.norm(x)), time[:, None]
        k = torch.cat([self.time_to_k(time), self.to_k(pixels)], dim=1)
        v = torch.cat([self.time_to_v(time), self.to_v(pixels)], dim=1)
        q, k, v = (split_heads(part, self.n_heads) for part in (self.to_q(pixels), k, v))
        return x + to_map(self.to_out(merge_heads(self.core(q, k, v))), x)

    return forward


def time_key_as_value(original):
    """One projection for what the time is asked by and what it says."""

    def forward(self, x, time):
        to_v, self.time_to_v = self.time_to_v, self.time_to_k
        try:
            return original(self, x, time)
        finally:
            self.time_to_v = to_v

    return forward


def root_forgotten(original):
    """Scores that nobody divides."""
    return lambda q, k, mask=None: original(q * q.shape[-1] ** 0.5, k, mask)


def fault(name, replacement, *identities):
    target = f"{NETS}.{name.split(':')[0]}"
    return Fault(f"cross: {name.split('.', 1)[1]}", target, replacement, CROSS, identities)


FAULTS = (
    fault("heads.MultiHeadAttention.forward: keys as values", keys_as_values, "10.1"),
    fault(
        "spatial.CrossAttention.forward: caption of the neighbour",
        caption_of_the_neighbour,
        *("10.1", "10.2", "10.5"),
    ),
    fault("spatial.CrossAttention.forward: padding is heard", padding_heard, "10.5"),
    fault("spatial.CrossAttention.forward: padding alone is heard", padding_alone_heard, "10.5"),
    fault("operators.fused_attention: each key for itself", sigmoid_for_softmax, "10.1", "10.2"),
    fault("spatial.TimeTokenAttention.forward: the time stands first", time_stands_first, "10.3"),
    fault("spatial.TimeTokenAttention.forward: key as value", time_key_as_value, "10.7"),
    fault(
        "operators.attention_weights: without the root",
        root_forgotten,
        "10.6",
    ),
    fault("mlp.MLPBlock.forward: scale for 1 + scale", block(scale_without_one), "10.4"),
)
