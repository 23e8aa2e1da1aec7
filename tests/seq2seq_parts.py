"""The encoder-decoder by hand, one sequence at a time, with torch's own attention layers."""

import math

import torch

from attention_parts import redrawn, torchs_twin
from diffedu.nets.seq2seq import EncoderDecoder

V, D, HEADS, B, N, M = 7, 12, 3, 4, 5, 6  # symbols, width; sequences, lengths of target and source


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def network(blocks=2, **keywords):
    """In float64, with no parameter left at 0."""
    return redrawn(EncoderDecoder(V, D, HEADS, blocks, generator=seeded(1), **keywords), seed=2)


def symbols(b, n, seed, high=V):
    return torch.randint(high, (b, n), generator=seeded(seed))


SOURCE, TOLD = symbols(B, M, 3), symbols(B, N, 4, V + 1)


def place(p, d):
    """Sines and cosines of place p, one by one."""
    angles = [p * 10_000 ** (-2 * (c // 2) / d) for c in range(d)]
    return torch.tensor([math.cos(a) if c % 2 else math.sin(a) for c, a in enumerate(angles)])


def vectors(table, sequence):
    return torch.stack([table.weight[s] + place(p, D) for p, s in enumerate(sequence.tolist())])


def normed(norm, x):
    centred = x - x.mean(1, keepdim=True)
    spread = (centred**2).mean(1, keepdim=True) + 1e-5
    return centred / spread.sqrt() * norm.weight + norm.bias


def fed(feed, x):
    return (x @ feed[0].weight.T + feed[0].bias).clamp(min=0) @ feed[2].weight.T + feed[2].bias


def looked(layer, x, context, hidden=None):
    """torch's own layer; there True in a mask hides."""
    batch = [part[None] for part in (x, context, context)]
    return torchs_twin(layer)(*batch, attn_mask=hidden)[0][0]


def encoder_block_by_hand(block, x):
    x = x + looked(block.attention, *[normed(block.norms[0], x)] * 2)
    return x + fed(block.feed, normed(block.norms[1], x))


def decoder_block_by_hand(block, x, memory):
    future = torch.tensor([[j > i for j in range(len(x))] for i in range(len(x))])
    x = x + looked(block.past, *[normed(block.norms[0], x)] * 2, future)
    x = x + looked(block.cross, normed(block.norms[1], x), memory)
    return x + fed(block.feed, normed(block.norms[2], x))


def memory_by_hand(model, source):
    x = vectors(model.read, source)
    for block in model.encoder:
        x = encoder_block_by_hand(block, x)
    return normed(model.norms[0], x)


def logits_by_hand(model, source, told):
    x, memory = vectors(model.reread, told), memory_by_hand(model, source)
    for block in model.decoder:
        x = decoder_block_by_hand(block, x, memory)
    return normed(model.norms[1], x) @ model.leave.weight.T + model.leave.bias
