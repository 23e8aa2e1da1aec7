"""Differently written right answers to the exercises of notebook 09."""

import math
from fractions import Fraction

import numpy as np
import torch
from einops import einsum, rearrange
from torch import nn


def exponentials_in_numpy(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def matrix_in_numpy(q, k):
    p = exponentials_in_numpy(q.numpy(), -1)
    return p @ np.swapaxes(exponentials_in_numpy(k.numpy(), -2), -1, -2)


def matrix_query_by_query(q, k):
    lights = k.exp() / k.exp().sum(dim=-2, keepdim=True)
    rows = []
    for i in range(q.shape[-2]):
        mixture = torch.nn.functional.softmax(q[..., i, :], dim=-1)
        rows.append((lights * mixture[..., None, :]).sum(dim=-1))
    return torch.stack(rows, dim=-2)


def matrix_in_float32(q, k):
    k = k.float().transpose(-1, -2).softmax(-1)
    return torch.matmul(nn.Softmax(dim=-1)(q.float()), k)


def look_by_the_matrix(q, k, v):
    return matrix_query_by_query(q, k) @ v


def look_by_loops(q, k, v):
    p, r = q.softmax(-1), k.softmax(-2)
    summary = sum(r[..., j, :, None] * v[..., j, None, :] for j in range(k.shape[-2]))
    return sum(p[..., :, c, None] * summary[..., c, None, :] for c in range(q.shape[-1]))


def look_in_einops(q, k, v):
    summary = einsum(k.softmax(-2), v, "... n d, ... n e -> ... e d")
    return einsum(summary, q.softmax(-1), "... e d, ... n d -> ... n e")


def look_dividing_at_the_end(q, k, v):
    k, q = k.exp(), q.exp()
    means = torch.einsum("...nd,...ne->...de", k, v) / k.sum(-2)[..., None]
    return torch.einsum("...nd,...de->...ne", q, means) / q.sum(-1, keepdim=True)


def count_by_adding_up(n, d, d_v):
    full = sum(d + d_v for _ in range(n)) * n
    return full, sum(2 * d_v for _ in range(n)) * d


def count_from_shapes(n, d, d_v):
    def cost(a, b):
        return a[0] * a[1] * b[1], (a[0], b[1])

    scores, size = cost((n, d), (d, n))
    summary, small = cost((d, n), (n, d_v))
    return torch.tensor([scores + cost(size, (n, d_v))[0], summary + cost((n, d), small)[0]])


def count_by_the_ratio(n, d, d_v):
    linear = 2 * n * d * d_v
    return float(linear * Fraction(n * (d + d_v), 2 * d * d_v)), float(linear)


def ceilings_by_sorting(k):
    return k.softmax(-2).sort(dim=-1).values[..., -1]


def ceilings_in_numpy(k):
    return exponentials_in_numpy(k.numpy(), -2).max(-1)


def ceilings_in_logarithms(k):
    return (k - k.logsumexp(-2, keepdim=True)).max(-1)[0].exp()


def ceilings_of_the_keenest_queries(k):
    d = k.shape[-1]
    keen = 200 * torch.eye(d, dtype=k.dtype)
    return torch.stack([(k.softmax(-2) * query.softmax(0)).sum(-1) for query in keen]).amax(0)


def distance_as_missing_overlap(a, b):
    return 1 - torch.minimum(a, b).sum(-1)


def distance_as_what_is_gained(a, b):
    return np.maximum(b.numpy() - a.numpy(), 0).sum(-1)


def distance_row_by_row(a, b):
    flat_a, flat_b = (x.reshape(-1, x.shape[-1]).tolist() for x in (a, b))
    found = [
        math.fsum(abs(x - y) for x, y in zip(one, other, strict=True)) / 2
        for one, other in zip(flat_a, flat_b, strict=True)
    ]
    return torch.tensor(found).reshape(a.shape[:-1])


def distance_by_a_norm(a, b):
    return 0.5 * torch.linalg.vector_norm(a.float() - b.float(), ord=1, dim=-1)


def repaired_axes(q, k, v):
    q = q.softmax(dim=2)
    k = k.softmax(dim=3)
    summary = torch.einsum("bhdn,bhen->bhde", k, v)
    return torch.einsum("bhdn,bhde->bhen", q, summary)


def repaired_by_moving_back(q, k, v):
    q, k, v = (rearrange(x, "b h d n -> b h n d") for x in (q, k, v))
    return look_in_einops(q, k, v).transpose(-1, -2)


def repaired_head_by_head(q, k, v):
    out = torch.empty_like(v)
    for b in range(len(q)):
        for h in range(q.shape[1]):
            lights, mixture = torch.softmax(k[b, h], 1), torch.softmax(q[b, h], 0)
            out[b, h] = v[b, h] @ lights.T @ mixture
    return out


RIGHT = {
    "hidden_matrix": (matrix_in_numpy, matrix_query_by_query, matrix_in_float32),
    "look_linearly": (
        look_by_the_matrix,
        look_by_loops,
        look_in_einops,
        look_dividing_at_the_end,
    ),
    "guess_crossover": (32, 33, [torch.tensor(32.0)]),
    "guess_mean_weight": (1 / 128, 0.008, torch.tensor(0.0075), 0.01),
    "multiplications": (count_by_adding_up, count_from_shapes, count_by_the_ratio),
    "ceilings": (
        ceilings_by_sorting,
        ceilings_in_numpy,
        ceilings_in_logarithms,
        ceilings_of_the_keenest_queries,
    ),
    "row_distance": (
        distance_as_missing_overlap,
        distance_as_what_is_gained,
        distance_row_by_row,
        distance_by_a_norm,
    ),
    "repair_pixels_last": (repaired_axes, repaired_by_moving_back, repaired_head_by_head),
}
