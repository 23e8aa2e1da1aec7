"""The exact bench: what each sampler makes of N(.5, .3^2), to four digits, without any training.

On Gaussian data the best eps is affine in x, hence so is every sampler's step, and its output is
known exactly. Each classic mistake moves the numbers by an amount of its own.
"""

import math

import pytest
import torch

from diffedu.diffusion.exact import chain_moments, eps_model, gaussian
from diffedu.diffusion.gaussian import fixed_large, fixed_small, posterior
from diffedu.diffusion.samplers import (
    ddim,
    ddim_step,
    ddpm,
    ddpm_step,
    ddpm_strided,
    strided_times,
)
from diffedu.diffusion.schedules import Schedule, cosine, linear

DATA = gaussian(0.5, 0.3, dims=3)
LINEAR, COSINE = linear(1000), cosine(1000)
DOWN = range(1000, 0, -1)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def moments(step, times):
    """Output mean and std of the chain step(x, t, z) over `times`, started from N(0, 1).

    Every step's A x + B + C z is read off in one call, with one sample per time, for speed.
    """
    t = torch.tensor(list(times))
    x, z = (torch.tensor(row).double().expand(len(t), 3) for row in ([0, 1, 0], [0, 0, 1]))
    offset, at_one, at_noise = step(x, t, z).T
    coefficients = torch.stack([at_one - offset, offset, at_noise - offset], 1).tolist()
    return chain_moments(lambda x, z, a=a, b=b, c=c: a * x + b + c * z for a, b, c in coefficients)


def ancestral(s, variance, model=None):
    model = model or eps_model(DATA, s)
    return lambda x, t, z: ddpm_step(x, model(x, t), t, s, variance, z)


def implicit(s, times, eta=0.0):
    next_time = torch.zeros(s.T + 1, dtype=torch.long)
    next_time[times[1:]] = times[:-1]
    model = eps_model(DATA, s)
    return lambda x, t, z: ddim_step(x, model(x, t), t, next_time[t], s, eta, z)


def jumps_of(s, times):
    """The schedule whose steps are the jumps between `times` (Nichol and Dhariwal eq. 19)."""
    alpha_bar = s.alpha_bar[times]
    return Schedule.from_beta(1 - alpha_bar[1:] / alpha_bar[:-1])


@pytest.mark.parametrize(
    ("s", "variance", "expected"),
    [
        (LINEAR, fixed_small, (0.5000, 0.2963)),
        (LINEAR, fixed_large, (0.5000, 0.3009)),
        (COSINE, fixed_small, (0.5000, 0.2981)),
        (COSINE, fixed_large, (0.5000, 0.3005)),
        (linear(50), fixed_small, (0.5000, 0.2528)),
        (linear(50), fixed_large, (0.5000, 0.3200)),
    ],
    ids=["linear small", "linear large", "cosine small", "cosine large", "T=50 s", "T=50 l"],
)
def test_ancestral_sampling_makes_the_data(s, variance, expected):
    made = moments(ancestral(s, variance(s)), range(s.T, 0, -1))
    torch.testing.assert_close(made, expected, rtol=0, atol=6e-5)


@pytest.mark.parametrize(("steps", "expected"), [(50, (0.4991, 0.2733)), (10, (0.4994, 0.1846))])
def test_ddim_in_few_steps_comes_out_narrower(steps, expected):
    times = strided_times(1000, steps)
    made = moments(implicit(LINEAR, times), times.tolist()[:0:-1])
    torch.testing.assert_close(made, expected, rtol=0, atol=6e-5)


def test_ddim_in_1000_steps_with_eta_1_makes_what_ddpm_makes():
    made = moments(implicit(LINEAR, torch.arange(1001), eta=1.0), DOWN)
    expected = moments(ancestral(LINEAR, fixed_small(LINEAR)), DOWN)
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-10)


def test_jumps_with_their_own_beta_make_the_data():
    times = strided_times(1000, 200)
    jumps, best = jumps_of(LINEAR, times), eps_model(DATA, LINEAR)
    step = ancestral(jumps, fixed_small(jumps), lambda x, k: best(x, times[k]))
    made = moments(step, range(200, 0, -1))
    torch.testing.assert_close(made, (0.5000, 0.2842), rtol=0, atol=6e-5)


def test_beta_is_the_exact_variance_for_standard_normal_data_and_beta_tilde_is_too_small():
    best = eps_model(gaussian(0.0, 1.0, dims=3), LINEAR)
    large = moments(ancestral(LINEAR, fixed_large(LINEAR), best), DOWN)
    # exact up to the last step, which leaves out its noise of variance beta_1
    torch.testing.assert_close(large, (0.0, math.sqrt(1 - 1e-4)), rtol=0, atol=1e-10)
    small = moments(ancestral(LINEAR, fixed_small(LINEAR), best), DOWN)
    torch.testing.assert_close(small, (0.0, 0.9955), rtol=0, atol=6e-5)


def test_beta_tilde_is_the_exact_variance_for_a_single_point():
    best = eps_model(gaussian(0.5, 0.0, dims=3), LINEAR)
    made = moments(ancestral(LINEAR, fixed_small(LINEAR), best), DOWN)
    torch.testing.assert_close(made, (0.5, 0.0), rtol=0, atol=1e-9)


# The classic mistakes, each with the numbers it gives itself away by.

SMALL, BEST = fixed_small(LINEAR), eps_model(DATA, LINEAR)


def x0_from_alpha_instead_of_alpha_bar(x, t, z):
    alpha, alpha_bar = LINEAR.alpha[t][:, None], LINEAR.alpha_bar[t][:, None]
    x0_hat = (x - (1 - alpha_bar).sqrt() * BEST(x, t)) / alpha.sqrt()
    mean, variance = posterior(x0_hat, x, t, LINEAR)
    return mean + variance.sqrt() * z


def model_sees(shift):
    return ancestral(LINEAR, SMALL, lambda x, t: BEST(x, (t + shift).clamp(1, 1000)))


UNSCALED = Schedule.from_beta(torch.linspace(1e-4, 0.02, 50, dtype=torch.float64))
MISTAKES = {
    "variance as std": (ancestral(LINEAR, SMALL**2), DOWN, (0.5000, 0.0145)),
    "no noise": (ancestral(LINEAR, 0 * SMALL), DOWN, (0.5000, 0.0006)),
    "alpha for alpha_bar in x0_hat": (x0_from_alpha_instead_of_alpha_bar, DOWN, (0.4380, 0.2854)),
    "model sees t + 50": (model_sees(50), DOWN, (0.4701, 0.2410)),
    "model sees t + 1": (model_sees(1), DOWN, (0.4994, 0.2936)),
    "model sees t - 1": (model_sees(-1), DOWN, (0.5006, 0.2988)),
    "loop ascending": (ancestral(LINEAR, SMALL), range(1, 1001), (0.0321, 0.9997)),
    "trained cosine, sampled linear": (
        ancestral(LINEAR, SMALL, eps_model(DATA, COSINE)),
        DOWN,
        (0.5588, 0.3514),
    ),
    "strided, beta_t kept": (ancestral(LINEAR, SMALL), range(1000, 0, -5), (0.2684, 0.6519)),
    "T=50 with the betas of T=1000": (
        ancestral(UNSCALED, fixed_small(UNSCALED)),
        range(50, 0, -1),
        (0.4399, 0.3080),
    ),
}


@pytest.mark.parametrize(("step", "times", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_has_numbers_of_its_own(step, times, expected):
    torch.testing.assert_close(moments(step, times), expected, rtol=0, atol=6e-5)


# The generators themselves, by many runs.

SHORT, N = linear(60), 20_000


def assert_made(states, expected, n=N):
    *_, last = states
    mean, sigma = expected
    assert abs(last.xt.mean().item() - mean) < 4 * sigma / math.sqrt(n)
    assert abs(last.xt.std().item() - sigma) < 4 * sigma / math.sqrt(2 * n)


def noise(seed):
    return torch.randn(N // 4, 2, 1, 2, generator=seeded(seed), dtype=torch.float64)


def short_model():
    return eps_model(gaussian(0.5, 0.3, dims=4), SHORT)


@pytest.mark.parametrize("variance", [fixed_small, fixed_large])
def test_many_runs_of_ddpm_have_the_exact_moments(variance):
    states = ddpm(short_model(), noise(1), SHORT, variance(SHORT), generator=seeded(2))
    assert_made(states, moments(ancestral(SHORT, variance(SHORT)), range(60, 0, -1)))


@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_many_runs_of_ddim_have_the_exact_moments(eta):
    times = strided_times(60, 14)
    states = ddim(short_model(), noise(3), SHORT, 14, eta, generator=seeded(4))
    assert_made(states, moments(implicit(SHORT, times, eta), times.tolist()[:0:-1]))


@pytest.mark.parametrize("variance", [fixed_small, fixed_large])
def test_many_runs_of_ddpm_strided_have_the_exact_moments(variance):
    times = strided_times(60, 14)
    jumps, best = jumps_of(SHORT, times), eps_model(DATA, SHORT)
    states = ddpm_strided(short_model(), noise(5), SHORT, 14, variance, generator=seeded(6))
    step = ancestral(jumps, variance(jumps), lambda x, k: best(x, times[k]))
    assert_made(states, moments(step, range(14, 0, -1)))


@pytest.mark.identity("5.3")
def test_chain_moments_are_those_of_many_runs_of_the_same_steps():
    n, numbers = 200_000, torch.randn(9, 3, generator=seeded(7)).tolist()
    steps = [lambda x, z, a=a, b=b, c=c: a * x + b + c * z for a, b, c in numbers]
    mean, sigma = chain_moments(steps, mean=-0.7, sigma=1.9)
    x = -0.7 + 1.9 * torch.randn(n, generator=seeded(8))
    for k, step in enumerate(steps):
        x = step(x, torch.randn(n, generator=seeded(9 + k)))
    assert abs(x.mean().item() - mean) < 4 * sigma / math.sqrt(n)
    assert abs(x.std().item() - sigma) < 4 * sigma / math.sqrt(2 * n)


def test_chain_moments_start_from_the_standard_normal():
    assert chain_moments([]) == (0.0, 1.0)
    assert chain_moments([lambda x, z: 3 * x + 1 + 4 * z]) == (1.0, 5.0)


def test_chain_moments_probe_the_step_of_a_sampler_itself():
    one = eps_model(gaussian(0.5, 0.3), SHORT)  # three samples of one number each
    step = ancestral(SHORT, SHORT.beta, one)
    steps = [lambda x, z, t=t: step(x, torch.full((3,), t), z) for t in range(60, 0, -1)]
    expected = moments(ancestral(SHORT, SHORT.beta), range(60, 0, -1))
    torch.testing.assert_close(chain_moments(steps), expected, rtol=0, atol=1e-12)
