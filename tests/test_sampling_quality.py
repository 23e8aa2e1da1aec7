"""What notebook 05 asserts of its trained networks holds for three seeds, not only for its own."""

from functools import partial

import pytest
import torch

from diffedu.data import digit_halves, moons
from diffedu.diffusion.gaussian import fixed_large, fixed_small, q_sample
from diffedu.diffusion.samplers import ddim, ddpm, ddpm_strided
from diffedu.diffusion.schedules import cosine
from diffedu.nets.mlp import MLP
from diffedu.train import TrainConfig, train

pytestmark = pytest.mark.slow
S = cosine(1000)
CLIP = partial(torch.clamp, min=-1, max=1)
(DIGITS, DIGIT_LABELS), (UNSEEN, LABELS) = digit_halves()


def trained(network, points, config, g):
    *_, last = train(network, points, S, config, generator=g)
    return last.ema


def last_of(states):
    *_, end = states
    return end.xt


def energy_distance(x, y):
    x, y = x.flatten(1), y.flatten(1)
    within = sum(torch.cdist(a, a).sum() / (len(a) * (len(a) - 1)) for a in (x, y))
    return (2 * torch.cdist(x, y).mean() - within).item()


def with_ten_calls(network, start, clip, real, g):
    """The energy distance of each sampler."""
    walks = {
        "DDIM": ddim(network, start, S, 10, clip=clip),
        "beta-tilde": ddpm_strided(network, start, S, 10, fixed_small, generator=g, clip=clip),
        "beta": ddpm_strided(network, start, S, 10, fixed_large, generator=g, clip=clip),
    }
    return {name: energy_distance(last_of(walk), real) for name, walk in walks.items()}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_moons_both_variances_reach_the_data_and_beta_is_best_with_ten_calls(seed):
    g = torch.Generator().manual_seed(seed)
    points = moons(20_000, g).float()
    network = trained(MLP((2,), generator=g), points, TrainConfig(steps=1500), g)
    real, noise = moons(4000, g).float(), torch.randn(1000, 2, generator=g)
    for variance in (fixed_small(S), fixed_large(S)):
        samples = last_of(ddpm(network, noise, S, variance, generator=g))
        assert energy_distance(samples, real) < 0.006  # real against real: about .001
    box = partial(torch.clamp, min=-2, max=2)
    distances = with_ten_calls(network, noise, box, real, g)
    assert min(distances, key=distances.get) == "beta"


@pytest.fixture(scope="module", params=[0, 1, 2])
def digits_network(request):
    g = torch.Generator().manual_seed(request.param)
    config = TrainConfig(steps=1500, batch=128, lr=2e-3, ema=0.99)
    return trained(MLP((1, 8, 8), width=192, generator=g), DIGITS, config, g), g


def test_digits_lie_near_real_ones_and_ddim_is_best_with_ten_calls(digits_network):
    network, g = digits_network
    start, flat = torch.randn(500, 1, 8, 8, generator=g), UNSEEN.flatten(1)
    limit = torch.cdist(DIGITS.flatten(1), flat).min(1).values.quantile(0.95)
    samples = last_of(ddim(network, start, S, 50, clip=CLIP)).flatten(1)
    assert (torch.cdist(samples, flat).min(1).values < limit).double().mean() >= 0.75
    distances = with_ten_calls(network, start, CLIP, UNSEEN, g)
    assert min(distances, key=distances.get) == "DDIM"


def test_a_restart_forgets_the_original_as_t_grows(digits_network):
    network, g = digits_network
    originals, alike, same = UNSEEN[:200], {}, {}
    for t in (200, 500, 900, 1000):
        noise = torch.randn(originals.shape, generator=g)
        xt = q_sample(originals, torch.full((200,), t), noise, S)
        walk = ddpm_strided(network, xt, S, min(t, 250), generator=g, t=t, clip=CLIP)
        result = last_of(walk)
        a, b = ((x - DIGITS.mean(0)).flatten(1) for x in (originals, result))
        alike[t] = torch.cosine_similarity(a, b).mean().item()
        nearest = torch.cdist(result.flatten(1), DIGITS.flatten(1)).argmin(1)
        same[t] = (DIGIT_LABELS[nearest] == LABELS[:200]).double().mean().item()
    assert alike[200] > alike[500] + 0.1 > alike[900] + 0.2
    assert alike[200] > 0.8 and same[200] > 0.85
    assert abs(alike[1000]) < 0.1 and same[1000] < 0.2
