"""What beta-tilde costs as the steps grow many: a number that has nothing of the data in it."""

import math

import numpy as np
import pytest
import torch

from diffedu.diffusion.exact import Mixture, gaussian
from diffedu.diffusion.exact_bound import (
    best_variance,
    bound_terms,
    negative_log_likelihood,
    unavoidable_error,
)
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.schedules import Schedule, cosine
from test_bound import DATA

LIMIT = (np.euler_gamma + 1 - math.log(2)) / 2
LINE = Mixture(
    torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64),
    torch.tensor([[-1.5], [0.4], [1.1]], dtype=torch.float64),
    torch.tensor([0.3, 0.7, 0.15], dtype=torch.float64),
)
SMOOTH = pytest.mark.parametrize(
    "mixture", [DATA, LINE, gaussian(0.7, 2.0)], ids=["two", "three", "one"]
)


def constant(T, beta):
    """So little noise that 1 - alpha_bar is a straight line: beta t."""
    return Schedule.from_beta(torch.full((T,), beta, dtype=torch.float64))


@pytest.mark.identity("3.14")
@SMOOTH
def test_where_the_noise_grows_linearly_the_best_variance_is_t_over_t_minus_1_beta_tilde(mixture):
    s = constant(200, 1e-7)
    best, small = best_variance(s, unavoidable_error(mixture, s)), fixed_small(s)
    t = torch.arange(2, 201, dtype=torch.float64)
    torch.testing.assert_close(best[2:] / small[2:], t / (t - 1), rtol=3e-5, atol=0)
    # at t = 1 beta-tilde_2 stands in for the zero beta-tilde_1
    assert best[1].item() / small[2].item() == pytest.approx(2, rel=1e-4)


@pytest.mark.identity("3.14")
@SMOOTH
def test_over_many_small_steps_beta_tilde_loses_the_limit_against_the_best_variance(mixture):
    T = 2000
    s = constant(T, 1e-8)
    error = unavoidable_error(mixture, s)
    best = best_variance(s, error)
    dear = bound_terms(mixture, s, fixed_small(s), error)
    cheap = bound_terms(mixture, s, best, error, best[1].item())
    rest = 1 / (4 * T)  # what the steps after the last would add, up to 1/T^2
    assert (dear - cheap).sum().item() + rest == pytest.approx(LIMIT, abs=5e-6)
    assert dear[-1] == cheap[-1]  # the prior has no variance to choose


@pytest.mark.identity("3.14")
def test_the_losses_of_all_steps_add_up_to_eulers_constant_and_a_logarithm():
    r = np.arange(2, 10**6) / np.arange(1, 10**6 - 1)
    loss = (r - 1 - np.log(r)) / 2
    first = (2 - 1 - math.log(2)) / 2
    assert first + loss.sum() == pytest.approx(LIMIT, abs=3e-7)
    assert pytest.approx(0.4420, abs=5e-5) == LIMIT


@pytest.mark.slow
@pytest.mark.identity("3.14")
def test_the_gap_of_beta_tilde_falls_towards_the_limit_also_with_ten_thousand_cosine_steps():
    gaps = []
    for T in (100, 1000, 10_000):
        s = cosine(T)
        error = unavoidable_error(DATA, s)
        terms = bound_terms(DATA, s, fixed_small(s), error)
        gaps.append(terms.sum().item() - negative_log_likelihood(DATA))
    assert gaps == sorted(gaps, reverse=True)
    assert LIMIT < gaps[-1] < LIMIT + 0.02
