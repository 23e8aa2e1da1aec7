"""Differently written right answers to the exercises of notebook 06."""

import math

import numpy as np
import torch
from einops import einsum, rearrange
from torch.nn import functional


def look_up_in_loops(query, keys, values, temperature):
    scores = [
        sum(float(a) * float(b) for a, b in zip(query, key, strict=True)) / temperature
        for key in keys
    ]
    highest = max(scores)
    shares = [math.exp(score - highest) for score in scores]
    answer = torch.zeros(values.shape[1], dtype=torch.float64)
    for share, value in zip(shares, values, strict=True):
        answer += share / sum(shares) * value
    return answer


def look_up_in_numpy(query, keys, values, temperature):
    weights = np.exp(keys.numpy() @ query.numpy() / temperature)
    return (weights / weights.sum()) @ values.numpy()


def look_up_by_a_shorter_query_in_float32(query, keys, values, temperature):
    scores = einsum(query / temperature, keys, "d, n d -> n").float()
    return einsum(functional.softmax(scores, dim=0), values.float(), "n, n e -> e")


def look_up_as_a_row(query, keys, values, temperature):
    return (torch.softmax(query[None] @ keys.T / temperature, 1) @ values)[0]


def weights_in_loops(q, k):
    weights = torch.zeros(*q.shape[:2], k.shape[1])
    for b in range(len(q)):
        for i, query in enumerate(q[b]):
            scores = torch.stack([query @ key for key in k[b]]) / math.sqrt(len(query))
            weights[b, i] = scores.exp() / scores.exp().sum()
    return weights


def weights_by_transposing(q, k):
    return torch.softmax(torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(k.size(-1)), -1)


def weights_over_keys_first(q, k):
    scores = torch.einsum("bid,bjd->bji", q * q.shape[2] ** -0.25, k * q.shape[2] ** -0.25)
    return scores.softmax(dim=1).transpose(1, 2)


def weights_as_what_torch_makes_of_one_hot_values(q, k):
    one_hot = torch.eye(k.shape[1], dtype=k.dtype).expand(len(k), -1, -1)
    return functional.scaled_dot_product_attention(q, k, one_hot)


def weights_in_numpy(q, k):
    scores = q.numpy() @ np.swapaxes(k.numpy(), 1, 2) / np.sqrt(q.shape[-1])
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    return scores / scores.sum(axis=2, keepdims=True)


def shuffled_by_a_matrix(output, order):
    P = torch.eye(len(order), dtype=output.dtype)[order]
    return P @ output


def shuffled_in_a_loop(output, order):
    return torch.stack([output[int(place)] for place in order])


def shuffled_by_index_select(output, order):
    return output.index_select(0, order)


def shuffled_in_numpy(output, order):
    return output.numpy()[order.tolist()]


def masked_by_the_formula(q, k, mask):
    shares = (q @ k.mT / q.shape[-1] ** 0.5).exp() * mask
    return shares / shares.sum(-1, keepdim=True)


def masked_by_adding(q, k, mask):
    wall = torch.zeros(mask.shape, dtype=q.dtype).masked_fill(~mask, float("-inf"))
    return functional.softmax(q @ k.mT / math.sqrt(q.shape[-1]) + wall, dim=-1)


def masked_with_a_large_number(q, k, mask):
    scores = torch.where(mask, einsum(q, k, "b i d, b j d -> b i j"), -1e9)
    return (scores / q.shape[-1] ** 0.5).softmax(-1)


def masked_and_shared_out_again(q, k, mask):
    weights = weights_by_transposing(q, k) * mask
    return weights / weights.sum(dim=-1, keepdim=True)


def masked_in_loops(q, k, mask):
    weights = np.zeros(mask.shape)
    for b, i in np.ndindex(*mask.shape[:2]):
        seen = mask[b, i].nonzero().flatten()
        scores = k[b, seen] @ q[b, i] / math.sqrt(q.shape[2])
        weights[b, i, seen.numpy()] = scores.softmax(0).numpy()
    return weights


def place_in_loops(n, d):
    table = [[0.0] * d for _ in range(n)]
    for p in range(n):
        for i in range(0, d, 2):
            angle = p / 10000 ** (i / d)
            table[p][i], table[p][i + 1] = math.sin(angle), math.cos(angle)
    return table


def place_by_slices(n, d):
    table = torch.zeros(n, d)
    speed = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    table[:, 0::2] = torch.sin(torch.arange(n)[:, None] * speed)
    table[:, 1::2] = torch.cos(torch.arange(n)[:, None] * speed)
    return table


def place_in_numpy(n, d):
    c = np.arange(d)
    angle = np.arange(n)[:, None] / 10000 ** (c // 2 * 2 / d)
    return np.where(c % 2 == 0, np.sin(angle), np.cos(angle))


def moved_by_matrices(code, steps):
    n, d = code.shape
    pairs = code.reshape(n, d // 2, 2)
    speed = 10000.0 ** (-2 * torch.arange(d // 2, dtype=code.dtype) / d)
    cosine, sine = (steps * speed).cos(), (steps * speed).sin()
    turn = rearrange([cosine, sine, -sine, cosine], "(row column) i -> i row column", row=2)
    return einsum(turn, pairs, "i row column, n i column -> n i row").reshape(n, d)


def moved_by_complex_numbers(code, steps):
    d = code.shape[1]
    hands = torch.complex(code[:, 1::2], code[:, 0::2])  # cosine + i sine
    angle = steps / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
    turned = hands * torch.polar(torch.ones_like(angle), angle)
    return torch.stack([turned.imag, turned.real], dim=2).reshape(code.shape)


def moved_by_reading_the_angles(code, steps):
    d, code = code.shape[1], code.numpy()
    angle = np.arctan2(code[:, 0::2], code[:, 1::2]) + steps * 10000 ** (-np.arange(0, d, 2) / d)
    moved = np.empty_like(code)
    moved[:, 0::2], moved[:, 1::2] = np.sin(angle), np.cos(angle)
    return moved


def repaired_by_one_letter(q, k, v):
    scores = einsum(q, k, "b i d, b j d -> b i j") / q.shape[-1] ** 0.5
    return einsum(torch.softmax(scores, dim=2), v, "b i j, b j e -> b i e")


def repaired_by_torch(q, k, v):
    return functional.scaled_dot_product_attention(q.float(), k.float(), v.float())


def repaired_in_loops(q, k, v):
    return torch.stack(
        [
            torch.stack([look_up_in_numpy_of(query, k[b], v[b]) for query in q[b]])
            for b in range(len(q))
        ]
    )


def look_up_in_numpy_of(query, keys, values):
    return torch.from_numpy(look_up_in_numpy(query, keys, values, math.sqrt(len(query))))


RIGHT = {
    "look_up": (
        look_up_in_loops,
        look_up_in_numpy,
        look_up_by_a_shorter_query_in_float32,
        look_up_as_a_row,
    ),
    "guess_largest_weight": (0.95, 0.9, torch.tensor(0.98), np.float32(1.0)),
    "scaled_weights": (
        weights_in_loops,
        weights_by_transposing,
        weights_over_keys_first,
        weights_as_what_torch_makes_of_one_hot_values,
        weights_in_numpy,
    ),
    "shuffled_output": (
        shuffled_by_a_matrix,
        shuffled_in_a_loop,
        shuffled_by_index_select,
        shuffled_in_numpy,
    ),
    "masked_weights": (
        masked_by_the_formula,
        masked_by_adding,
        masked_with_a_large_number,
        masked_and_shared_out_again,
        masked_in_loops,
    ),
    "place_code": (place_in_loops, place_by_slices, place_in_numpy),
    "moved_code": (moved_by_matrices, moved_by_complex_numbers, moved_by_reading_the_angles),
    "repair_attention": (repaired_by_one_letter, repaired_by_torch, repaired_in_loops),
}
