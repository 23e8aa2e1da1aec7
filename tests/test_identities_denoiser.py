"""(6.11): the ideal denoiser of a list of pictures is attention over the list."""

import math

import pytest
import torch

from diffedu.diffusion import exact
from diffedu.diffusion.schedules import cosine, linear
from diffedu.nets.attention import attention, attention_weights


def asked(xt, pictures, alpha_bar):
    """Query, keys and values of (6.11)."""
    noise = 1 - alpha_bar
    sizes = torch.stack([-alpha_bar * (x @ x) / (2 * noise) for x in pictures])
    q = torch.cat([alpha_bar.sqrt() / noise * xt, xt.new_ones(1)])
    return math.sqrt(len(q)) * q[None], torch.cat([pictures, sizes[:, None]], 1), pictures


def ideal(xt, pictures, alpha_bar):
    """(0.1) with plain sums: every picture by how well it explains x_t."""
    distances = [
        sum((a - math.sqrt(alpha_bar) * b) ** 2 for a, b in zip(xt, x, strict=True)).item()
        for x in pictures
    ]
    odds = [math.exp(-(d - min(distances)) / (2 * (1 - alpha_bar.item()))) for d in distances]
    weights = torch.tensor(odds, dtype=torch.float64) / sum(odds)
    return weights, sum(w * x for w, x in zip(weights, pictures, strict=True))


@pytest.mark.identity("6.11")
@pytest.mark.parametrize("s", [cosine(40), linear(1000)], ids=["cosine", "linear"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_the_ideal_denoiser_is_attention_over_the_list(s, share):
    g = torch.Generator().manual_seed(3)
    pictures = torch.randn(7, 5, generator=g, dtype=torch.float64)
    xt, t = torch.randn(5, generator=g, dtype=torch.float64), int(share * s.T)
    q, k, v = asked(xt, pictures, s.alpha_bar[t])
    weights, x0_hat = ideal(xt, pictures, s.alpha_bar[t])
    torch.testing.assert_close(attention_weights(q, k)[0], weights)
    torch.testing.assert_close(attention(q, k, v)[0], x0_hat)
    package = exact.x0_mean(exact.points(pictures), xt[None], torch.tensor([t]), s)
    torch.testing.assert_close(package[0], x0_hat)
