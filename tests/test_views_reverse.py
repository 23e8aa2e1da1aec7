"""The arrays behind the bound and the trajectory explorer, against quadrature and scalar loops."""

import math

import numpy as np
import pytest
import torch

from diffedu.classroom.views import BoundView, TrajectoryView, bound_view, trajectory_views
from diffedu.data import moons_components
from diffedu.diffusion.exact import Mixture, eps_model, gaussian
from diffedu.diffusion.gaussian import fixed_large, fixed_small
from diffedu.diffusion.samplers import ddim, ddpm
from diffedu.diffusion.schedules import cosine, linear
from test_bound import DATA, GAPS, arrays, chosen, gap_by_quadrature, unavoidable_error

CHOICES = ["beta-tilde", "beta", "beta, also at t = 1", "best"]
SAMPLERS = ["DDPM, beta-tilde", "DDPM, beta", "DDIM, eta = 0"]


@pytest.mark.parametrize("T", [10, 100, 1000])
def test_the_gaps_of_the_four_choices_are_the_known_ones(T):
    view = bound_view(DATA, cosine(T))
    assert (view.T, list(view.terms)) == (T, CHOICES)
    assert view.nll == pytest.approx(0.90687, abs=5e-6)
    for choice in CHOICES:
        assert view.gap(choice) == pytest.approx(gap_by_quadrature(T, choice), abs=1e-8)
        assert view.gap(choice) == pytest.approx(GAPS[choice][(10, 100, 1000).index(T)], abs=6e-4)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("T", [10, 100])
def test_entry_k_is_the_term_k_of_a_bound_by_quadrature(T, choice):
    beta, tilde, now, before = arrays(T)
    variance, error = chosen(T, choice), unavoidable_error(T)
    terms = [(math.log(2 * math.pi * variance[0]) + error[0] / variance[0]) / 2]
    for k in range(1, T):  # numpy's entry k is the step t = k + 1
        c0 = math.sqrt(before[k]) * beta[k] / (1 - now[k])
        ratio = (tilde[k] + c0**2 * error[k]) / variance[k]
        terms.append((math.log(variance[k] / tilde[k]) + ratio - 1) / 2)
    terms.append((1.09 * now[-1] - now[-1] - math.log1p(-now[-1])) / 2)
    shown = bound_view(DATA, cosine(T)).terms[choice]
    np.testing.assert_allclose(shown, terms, rtol=1e-6, atol=1e-9)


def test_the_bound_of_other_data_and_another_schedule():
    view = bound_view(gaussian(0.0, 1.0), linear(30))
    gaps = {choice: view.gap(choice) for choice in CHOICES}
    assert view.nll == pytest.approx(math.log(2 * math.pi * math.e) / 2)
    assert gaps["beta, also at t = 1"] == pytest.approx(0, abs=1e-9)
    assert gaps["best"] == pytest.approx(0, abs=1e-9)
    assert gaps["beta-tilde"] > gaps["beta"] > 0.003


def test_the_gap_is_the_sum_of_the_terms_minus_the_likelihood():
    rows = torch.tensor([[0.5, 0.25, -3.0, 4.0], [1.0, 2.0, 3.0, 4.0]], dtype=torch.float64)
    view = BoundView(3, dict(zip("ab", rows, strict=True)), nll=1.5)
    assert (view.gap("a"), view.gap("b")) == (0.25, 8.5)


MOONS = Mixture(*moons_components())
T = 30


@pytest.fixture(scope="module")
def walk():
    """The noise, the schedule, and the views of the three samplers."""
    xT = torch.randn(7, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    s = cosine(T)
    return xT, s, trajectory_views(MOONS, xT, s)


def test_all_samplers_start_from_the_same_noise_and_end_where_they_say(walk):
    xT, _, views = walk
    assert list(views) == SAMPLERS
    for view in views.values():
        assert view.xt.shape == view.x0_hat.shape == (T + 1, 7, 2)
        assert torch.equal(view.xt[T], xT)
        assert torch.equal(view.x0_hat[0], view.xt[0])  # at t = 0 nothing is left to predict
        assert torch.equal(view.x0_hat[T], views["DDPM, beta"].x0_hat[T])
    ends = [view.xt[0] for view in views.values()]
    assert all((ends[j] - ends[k]).abs().max() > 0.05 for j, k in [(0, 1), (0, 2), (1, 2)])


def x0_by_hand(x, alpha_bar):
    """E[x_0 | x_t] of the moons for points x (N, 2), in numpy."""
    weight, mean, sigma = (part.numpy() for part in (MOONS.weight, MOONS.mean, MOONS.sigma))
    v = alpha_bar * sigma**2 + 1 - alpha_bar
    apart = x[:, None] - math.sqrt(alpha_bar) * mean
    log_p = np.log(weight / v) - (apart**2).sum(-1) / (2 * v)
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    centre = mean + (math.sqrt(alpha_bar) * sigma**2 / v)[:, None] * apart
    return (p[..., None] * centre).sum(1) / p.sum(1, keepdims=True)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_entry_k_is_the_step_t_k_of_the_sampler_written_as_a_loop(walk, sampler):
    xT, s, views = walk
    beta, generator = s.beta.tolist(), torch.Generator().manual_seed(1)
    alpha_bar = [math.prod(1 - b for b in beta[1 : t + 1]) for t in range(T + 1)]
    x = xT.numpy()
    for t in range(T, 0, -1):
        now, before = alpha_bar[t], alpha_bar[t - 1]
        x0_hat = x0_by_hand(x, now)
        np.testing.assert_allclose(views[sampler].xt[t], x, atol=1e-7)
        np.testing.assert_allclose(views[sampler].x0_hat[t], x0_hat, atol=1e-7)
        eps_hat = (x - math.sqrt(now) * x0_hat) / math.sqrt(1 - now)
        if sampler == "DDIM, eta = 0":
            x = math.sqrt(before) * x0_hat + math.sqrt(1 - before) * eps_hat
            continue
        z = torch.randn(7, 2, generator=generator, dtype=torch.float64).numpy()
        tilde = (1 - before) / (1 - now) * beta[t]
        sigma = math.sqrt(beta[t] if sampler == "DDPM, beta" else tilde) if t > 1 else 0
        x = (x - beta[t] / math.sqrt(1 - now) * eps_hat) / math.sqrt(1 - beta[t]) + sigma * z
    np.testing.assert_allclose(views[sampler].xt[0], x, atol=1e-7)


def test_the_views_are_those_of_the_packages_samplers_to_the_last_bit(walk):
    xT, s, views = walk
    model = eps_model(MOONS, s)
    seeds = [torch.Generator().manual_seed(1) for _ in range(2)]
    runs = [
        ddpm(model, xT, s, fixed_small(s), generator=seeds[0]),
        ddpm(model, xT, s, fixed_large(s), generator=seeds[1]),
        ddim(model, xT, s, T),
    ]
    for view, states in zip(views.values(), runs, strict=True):
        assert isinstance(view, TrajectoryView)
        for state in states:
            assert torch.equal(view.xt[state.t], state.xt)
            assert torch.equal(view.x0_hat[state.t], state.x0_hat)


def test_the_points_arrive_at_the_moons(walk):
    _, mean, sigma = moons_components()
    for view in walk[2].values():
        nearest = torch.cdist(view.xt[0], mean).min(1).values
        assert (nearest < 4.5 * sigma.max()).all()
