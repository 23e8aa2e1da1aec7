"""What the tests of the attention rooms share: draws, loops, torch's own layer with our weights."""

import itertools
import math

import torch
from torch import nn


def draws(*shapes, seed=0, dtype=torch.float64):
    """A normal tensor for each shape, all different."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=g, dtype=torch.float64).to(dtype) for shape in shapes]


def weights_by_loops(q, k, may_look=lambda where, j: True):
    """Softmax attention one query and one key at a time, in Python's own floats."""
    weights = torch.zeros(*q.shape[:-1], k.shape[-2], dtype=torch.float64)
    for where in itertools.product(*map(range, q.shape[:-1])):
        asks, keys = q[where].tolist(), k[where[:-1]].tolist()
        scores = {
            j: sum(a * b for a, b in zip(asks, key, strict=True)) / math.sqrt(len(asks))
            for j, key in enumerate(keys)
            if may_look(where, j)
        }
        total = sum(math.exp(s - max(scores.values())) for s in scores.values())
        for j, s in scores.items():
            weights[(*where, j)] = math.exp(s - max(scores.values())) / total
    return weights


def redrawn(network, seed=0):
    """The network with every parameter drawn anew, so that none is zero; in float64."""
    g = torch.Generator().manual_seed(seed)
    for layer in network.double().modules():
        norm = isinstance(layer, nn.GroupNorm | nn.LayerNorm)
        for name, parameter in layer.named_parameters(recurse=False):
            scale = 0.3 if parameter.ndim == 1 else parameter[0].numel() ** -0.5
            with torch.no_grad():
                parameter.normal_(float(norm and name == "weight"), scale, generator=g)
    return network


def torchs_twin(ours):
    """An nn.MultiheadAttention with the weights of a MultiHeadAttention."""
    d_model, d_context = ours.to_q.in_features, ours.to_k.in_features
    bias, dtype = ours.to_q.bias is not None, ours.to_q.weight.dtype
    sizes = {"kdim": d_context, "vdim": d_context}
    theirs = nn.MultiheadAttention(
        d_model, ours.n_heads, bias=bias, batch_first=True, dtype=dtype, **sizes
    )
    parts = [ours.to_q, ours.to_k, ours.to_v]
    state = {"out_proj." + name: value for name, value in ours.to_out.state_dict().items()}
    if d_context == d_model:
        state["in_proj_weight"] = torch.cat([part.weight for part in parts])
    else:
        state |= {f"{c}_proj_weight": part.weight for c, part in zip("qkv", parts, strict=True)}
    if bias:
        state["in_proj_bias"] = torch.cat([part.bias for part in parts])
    theirs.load_state_dict(state)
    return theirs


def pixels_by_loops(x):
    """(B, C, H, W) -> (B, H W, C), one pixel after the other, row by row."""
    b, c, h, w = x.shape
    tokens = x.new_zeros(b, h * w, c)
    for i, j in itertools.product(range(h), range(w)):
        tokens[:, i * w + j] = x[:, :, i, j]
    return tokens


def map_by_loops(tokens, h, w):
    """The way back."""
    x = tokens.new_zeros(tokens.shape[0], tokens.shape[2], h, w)
    for i, j in itertools.product(range(h), range(w)):
        x[:, :, i, j] = tokens[:, i * w + j]
    return x


def rolled_at(x, groups, i, j):
    """x with the channels of pixel (i, j) rolled inside each group: no group statistic changes."""
    changed = x.clone()
    pixel = x[:, :, i, j].view(len(x), groups, -1)
    changed[:, :, i, j] = pixel.roll(1, dims=2).flatten(1)
    return changed
