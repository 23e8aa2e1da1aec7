"""Differently written right answers to the exercises of notebook 07."""

import math

import numpy as np
import torch
from einops import einsum, rearrange
from torch import nn


def apart_by_view_and_transpose(x, n_heads):
    B, n, D = x.shape
    return x.view(B, n, n_heads, D // n_heads).transpose(1, 2)


def apart_by_slices(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)


def apart_in_numpy(x, n_heads):
    B, n, _ = x.shape
    return x.numpy().astype(np.float32).reshape(B, n, n_heads, -1).transpose(0, 2, 1, 3)


def apart_one_by_one(x, n_heads):
    B, n, D = x.shape
    d = D // n_heads
    found = torch.zeros(B, n_heads, n, d)
    for i in range(n_heads):
        for c in range(d):
            found[:, i, :, c] = x[:, :, i * d + c]
    return found


def together_by_transpose(x):
    return x.transpose(1, 2).flatten(2)


def together_by_cat(x):
    return torch.cat(list(x.unbind(1)), dim=-1)


def together_in_numpy(x):
    B, h, n, d = x.shape
    return np.moveaxis(x.numpy(), 1, 2).reshape(B, n, h * d)


def repaired_with_transposes(x, W_Q, W_K, W_V, W_O, n_heads):
    B, n, D = x.shape
    d = D // n_heads
    q = (x @ W_Q).view(B, n, n_heads, d).transpose(1, 2)
    k = (x @ W_K).view(B, n, n_heads, d).transpose(1, 2)
    v = (x @ W_V).view(B, n, n_heads, d).transpose(1, 2)
    scores = q @ k.mT / d**0.5
    answers = scores.softmax(dim=-1) @ v
    return answers.transpose(1, 2).reshape(B, n, D) @ W_O


def repaired_with_einsum(x, W_Q, W_K, W_V, W_O, n_heads):
    B, n, D = x.shape
    d = D // n_heads
    q, k, v = ((x @ W).view(B, n, n_heads, d) for W in (W_Q, W_K, W_V))
    scores = einsum(q, k, "b i h d, b j h d -> b h i j") / d**0.5
    answers = einsum(scores.softmax(-1), v, "b h i j, b j h d -> b i h d")
    return answers.reshape(B, n, D) @ W_O


def repaired_by_torch(x, W_Q, W_K, W_V, W_O, n_heads):
    return by_torchs_layer(x, x, W_Q, W_K, W_V, W_O, n_heads)


def by_torchs_layer(x, context, W_Q, W_K, W_V, W_O, n_heads):
    D, E = len(W_Q), len(W_K)
    layer = nn.MultiheadAttention(D, n_heads, bias=False, kdim=E, vdim=E, batch_first=True)
    layer = layer.double()
    with torch.no_grad():
        if E == D:
            layer.in_proj_weight.copy_(torch.cat([W_Q.T, W_K.T, W_V.T]))
        else:
            parts = (layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight)
            for part, W in zip(parts, (W_Q, W_K, W_V), strict=True):
                part.copy_(W.T)
        layer.out_proj.weight.copy_(W_O.T)
        return layer(x, context, context)[0]


def by_the_sum_over_heads(x, context, W_Q, W_K, W_V, W_O, n_heads):
    d = W_Q.shape[1] // n_heads
    total = 0
    for i in range(n_heads):
        own = range(i * d, (i + 1) * d)
        score = x @ W_Q[:, own] @ W_K[:, own].T @ context.mT
        total = total + torch.softmax(score / math.sqrt(d), -1) @ context @ W_V[:, own] @ W_O[own]
    return total


def by_fused_attention_in_float32(x, context, W_Q, W_K, W_V, W_O, n_heads):
    def split(y, W):
        return rearrange((y @ W).float(), "b n (h d) -> b h n d", h=n_heads)

    q, k, v = split(x, W_Q), split(context, W_K), split(context, W_V)
    heads = nn.functional.scaled_dot_product_attention(q, k, v)
    return rearrange(heads, "b h n d -> b n (h d)") @ W_O.float()


def by_numpy_loops(x, context, W_Q, W_K, W_V, W_O, n_heads):
    x, context, W_Q, W_K, W_V, W_O = (each.numpy() for each in (x, context, W_Q, W_K, W_V, W_O))
    d = W_Q.shape[1] // n_heads
    found = np.zeros((*x.shape[:2], W_O.shape[1]))
    for b in range(len(x)):
        for a in range(x.shape[1]):
            sides = []
            for i in range(n_heads):
                own = slice(i * d, (i + 1) * d)
                q = x[b, a] @ W_Q[:, own]
                e = np.exp((context[b] @ W_K[:, own]) @ q / np.sqrt(d))
                sides.append(e @ (context[b] @ W_V[:, own]) / e.sum())
            found[b, a] = np.concatenate(sides) @ W_O
    return found


def shifted_in_place(target, start):
    found = torch.empty_like(target)
    found[:, 0] = start
    found[:, 1:] = target[:, :-1]
    return found


def shifted_by_padding(target, start):
    return nn.functional.pad(target, (1, 0), value=start)[:, :-1]


def shifted_in_lists(target, start):
    return [[start, *row[:-1]] for row in target.tolist()]


def shifted_by_roll(target, start):
    found = target.roll(1, dims=1)
    found[:, 0] = start
    return found


def mask_by_comparison(n):
    return torch.arange(n) <= torch.arange(n)[:, None]


def mask_by_loops(n):
    return [[j <= i for j in range(n)] for i in range(n)]


def mask_in_numpy(n):
    return np.tril(np.ones((n, n), dtype=bool))


def mask_without_the_future(n):
    return ~torch.ones(n, n, dtype=torch.bool).triu(diagonal=1)


def loss_by_torch(logits, target):
    return nn.functional.cross_entropy(logits.mT, target)


def loss_flattened_in_float32(logits, target):
    return nn.functional.cross_entropy(logits.float().flatten(0, 1), target.flatten())


def loss_by_logsumexp(logits, target):
    B, n, _ = logits.shape
    rows, places = torch.arange(B)[:, None], torch.arange(n)
    return (logits.logsumexp(-1) - logits[rows, places, target]).mean()


def loss_one_by_one(logits, target):
    losses = []
    for row, symbols in zip(logits.tolist(), target.tolist(), strict=True):
        for numbers, symbol in zip(row, symbols, strict=True):
            most = max(numbers)
            total = sum(math.exp(number - most) for number in numbers)
            losses.append(most + math.log(total) - numbers[symbol])
    return sum(losses) / len(losses)


RIGHT = {
    "heads_apart": (
        apart_by_view_and_transpose,
        apart_by_slices,
        apart_in_numpy,
        apart_one_by_one,
    ),
    "heads_together": (together_by_transpose, together_by_cat, together_in_numpy),
    "repair_heads": (repaired_with_transposes, repaired_with_einsum, repaired_by_torch),
    "guess_touched": (4, 4.0, torch.tensor(4)),
    "decoder_input": (
        shifted_in_place,
        shifted_by_padding,
        shifted_in_lists,
        shifted_by_roll,
    ),
    "past_mask": (mask_by_comparison, mask_by_loops, mask_in_numpy, mask_without_the_future),
    "many_heads": (
        by_torchs_layer,
        by_the_sum_over_heads,
        by_fused_attention_in_float32,
        by_numpy_loops,
    ),
    "sequence_loss": (
        loss_by_torch,
        loss_flattened_in_float32,
        loss_by_logsumexp,
        loss_one_by_one,
    ),
}
