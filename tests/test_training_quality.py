"""Training as the notebook does it comes near the best prediction there is, for every seed."""

import pytest
import torch

from diffedu.data import moons, moons_components
from diffedu.diffusion.exact import Mixture, eps_model
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import cosine
from diffedu.nets.mlp import MLP
from diffedu.train import TrainConfig, train

S = cosine(1000)
TIMES = (1, *range(25, 1001, 25))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def excess(model, n=500):
    """Mean squared distance to the best eps_hat, averaged over TIMES, on fresh points."""
    best, found = eps_model(Mixture(*moons_components()), S), []
    for step in TIMES:
        g = seeded(10_000 + step)
        x0, t = moons(n, g).float(), torch.full((n,), step)
        xt = q_sample(x0, t, torch.randn(n, 2, generator=g), S)
        found.append(((model(xt, t) - best(xt, t)) ** 2).mean().item())
    return sum(found) / len(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_training_on_moons_ends_near_the_best_prediction(seed):
    g = seeded(seed)
    points = moons(20_000, g).float()
    model = MLP((2,), generator=g)
    *_, end = train(model, points, S, TrainConfig(), generator=g)
    found = {"weights": excess(model), "average": excess(end.ema)}
    assert max(found.values()) < 0.005, found
