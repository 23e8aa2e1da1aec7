"""Differently written right answers to the exercises of notebook 10."""

import math

import numpy as np
import torch
from einops import einsum, rearrange, repeat
from torch import nn


def by_sdpa(x, context, W_q, W_k, W_v):
    return nn.functional.scaled_dot_product_attention(x @ W_q, context @ W_k, context @ W_v)


def pixel_by_pixel(x, context, W_q, W_k, W_v):
    found = []
    for picture, words in zip(x, context, strict=True):
        rows = []
        for pixel in picture:
            query = pixel @ W_q
            power = [math.exp(float(query @ (w @ W_k)) / math.sqrt(len(query))) for w in words]
            said = [p / sum(power) * (w @ W_v) for p, w in zip(power, words, strict=True)]
            rows.append(sum(said))
        found.append(torch.stack(rows))
    return torch.stack(found)


def in_float32_with_einsum(x, context, W_q, W_k, W_v):
    x, context, W_q, W_k, W_v = (part.float() for part in (x, context, W_q, W_k, W_v))
    q = torch.einsum("bnc,cd->bnd", x, W_q) * W_q.shape[1] ** -0.5
    scores = torch.einsum("bnd,bkd->bkn", q, context @ W_k)
    return torch.einsum("bkn,bke->bne", scores.softmax(1), context @ W_v)


def in_numpy(x, context, W_q, W_k, W_v):
    x, context, W_q, W_k, W_v = (part.numpy() for part in (x, context, W_q, W_k, W_v))
    scores = (x @ W_q) @ np.swapaxes(context @ W_k, 1, 2) / np.sqrt(W_k.shape[1])
    power = np.exp(scores - scores.max(-1, keepdims=True))
    return power / power.sum(-1, keepdims=True) @ (context @ W_v)


def caption_by_caption(q, k, v, lengths):
    found = []
    for i, n in enumerate(lengths.tolist()):
        scores = q[i] @ k[i, :n].T / math.sqrt(q.shape[2])
        found.append(torch.softmax(scores, 1) @ v[i, :n])
    return torch.stack(found)


def by_sdpa_with_mask(q, k, v, lengths):
    mask = repeat(torch.arange(k.shape[1]), "k -> b 1 k", b=len(k)) < lengths[:, None, None]
    return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def shared_out_again(q, k, v, lengths):
    real = (torch.arange(k.shape[1])[None] < lengths[:, None]).double()
    weights = torch.softmax(q @ k.transpose(1, 2) / q.shape[2] ** 0.5, dim=2) * real[:, None]
    return weights / weights.sum(2, keepdim=True) @ v


def with_large_negative_scores(q, k, v, lengths):
    q, k, v = q.float(), k.float(), v.float()
    scores = einsum(q, k, "b i d, b j d -> b i j") / np.sqrt(q.shape[-1])
    for i, n in enumerate(lengths):
        scores[i, :, n:] = -1e9
    return scores.softmax(-1) @ v


def share_as_a_softmax(delta, n):
    scores = torch.cat([delta[:, None], torch.zeros(len(delta), n)], dim=1)
    return scores.softmax(1)[:, 0]


def share_as_a_sigmoid(delta, n):
    return torch.sigmoid(delta - math.log(n))


def share_one_by_one(delta, n):
    return [math.exp(lead) / (math.exp(lead) + n) for lead in delta.tolist()]


def film_in_einops(h, scale, shift):
    factor = rearrange(1 + scale, "b c -> b c 1 1")
    return h * factor + rearrange(shift, "b c -> b c 1 1")


def film_by_loop(h, scale, shift):
    found = torch.empty_like(h)
    for b in range(h.shape[0]):
        for c in range(h.shape[1]):
            found[b, c] = h[b, c] + scale[b, c] * h[b, c] + shift[b, c]
    return found


def film_in_numpy_float32(h, scale, shift):
    h, scale, shift = (part.numpy().astype(np.float32) for part in (h, scale, shift))
    return np.moveaxis(np.moveaxis(h, (2, 3), (0, 1)) * (1 + scale) + shift, (0, 1), (2, 3))


def time_by_sdpa(x, time, W_q, W_k, W_v, U_k, U_v):
    k = torch.cat([x @ W_k, (time @ U_k).unsqueeze(1)], 1)
    v = torch.cat([x @ W_v, (time @ U_v).unsqueeze(1)], 1)
    return nn.functional.scaled_dot_product_attention(x @ W_q, k, v)


def time_first(x, time, W_q, W_k, W_v, U_k, U_v):
    found = []
    for pixels, tau in zip(x.float(), time.float(), strict=True):
        k = torch.vstack([tau @ U_k.float(), pixels @ W_k.float()])
        v = torch.vstack([tau @ U_v.float(), pixels @ W_v.float()])
        scores = pixels @ W_q.float() @ k.T / math.sqrt(k.shape[1])
        found.append(scores.softmax(1) @ v)
    return torch.stack(found)


def time_as_a_mixture(x, time, W_q, W_k, W_v, U_k, U_v):
    """The pixels' own attention, and the time with the weight of (10.3)."""
    q, root = x @ W_q, math.sqrt(W_q.shape[1])
    scores = q @ (x @ W_k).mT / root
    lead = (q @ (time @ U_k)[..., None])[..., 0] / root - scores.logsumexp(2)
    share = torch.sigmoid(lead)[..., None]
    return (1 - share) * (scores.softmax(2) @ (x @ W_v)) + share * (time @ U_v)[:, None]


def repaired(x, context, W_q, W_k, W_v):
    words = context
    q, k, v = x @ W_q, words @ W_k, words @ W_v
    scores = q @ k.mT / q.shape[-1] ** 0.5
    weights = scores.softmax(dim=-1)
    return weights @ v


def repaired_with_a_mask(x, context, W_q, W_k, W_v):
    words = context.flatten(0, 1).expand(len(context), -1, -1)
    scores = (x @ W_q) @ (words @ W_k).mT / W_q.shape[1] ** 0.5
    whose = torch.arange(len(context)).repeat_interleave(context.shape[1])
    own = whose == torch.arange(len(context))[:, None, None]
    return scores.masked_fill(~own, -torch.inf).softmax(-1) @ (words @ W_v)


def repaired_picture_by_picture(x, context, W_q, W_k, W_v):
    pairs = zip(x, context, strict=True)
    return torch.cat([by_sdpa(p[None], c[None], W_q, W_k, W_v) for p, c in pairs])


RIGHT = {
    "cross_look": (by_sdpa, pixel_by_pixel, in_float32_with_einsum, in_numpy),
    "guess_fall": (241, 256.0, torch.tensor(200.0)),
    "guess_lead": (8.3, math.log(4000), np.float32(8.0)),
    "scale_and_shift": (film_in_einops, film_by_loop, film_in_numpy_float32),
    "look_at_words": (
        caption_by_caption,
        by_sdpa_with_mask,
        shared_out_again,
        with_large_negative_scores,
    ),
    "share_of_one": (share_as_a_softmax, share_as_a_sigmoid, share_one_by_one),
    "look_with_time": (time_by_sdpa, time_first, time_as_a_mixture),
    "repair_captions": (repaired, repaired_with_a_mask, repaired_picture_by_picture),
}
