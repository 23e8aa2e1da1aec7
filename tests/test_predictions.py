"""eps, x0, v, the fixed variances and the reverse mean: three ways to say one prediction."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.gaussian import (
    as_eps_model,
    eps_from_v,
    eps_from_x0,
    fixed_large,
    fixed_small,
    posterior,
    posterior_variance,
    q_sample,
    reverse_mean,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)
from diffedu.diffusion.schedules import SCHEDULES, linear

T = 30
CLOSE = {"rtol": 1e-9, "atol": 1e-10}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def random(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.fixture(params=SCHEDULES)
def noisy(request):
    """Data, noise and both mixed: every t of a schedule is one sample of the batch."""
    s = SCHEDULES[request.param](T)
    x0, eps, t = 3 * random(T, 2, 5, seed=0) + 1, random(T, 2, 5, seed=1), torch.arange(1, T + 1)
    return s, t, x0, eps, q_sample(x0, t, eps, s)


def solved(noisy, c, d) -> tuple[torch.Tensor, torch.Tensor]:
    """x0 and eps from x_t and the number c x0 + d eps, by Cramer's rule, one element at a time."""
    s, t, x0, eps, xt = noisy
    found = torch.empty_like(x0), torch.empty_like(x0)
    for at in itertools.product(*map(range, x0.shape)):
        alpha_bar = math.prod(s.alpha[: t[at[0]] + 1].tolist())
        a, b = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        y = c(a, b) * x0[at] + d(a, b) * eps[at]
        determinant = a * d(a, b) - b * c(a, b)
        found[0][at] = (xt[at] * d(a, b) - b * y) / determinant
        found[1][at] = (a * y - xt[at] * c(a, b)) / determinant
    return found


@pytest.mark.identity("2.12")
def test_the_noise_gives_the_data_back(noisy):
    s, t, x0, eps, xt = noisy
    assert_close(x0_from_eps(xt, t, eps, s), x0, **CLOSE)
    by_hand, _ = solved(noisy, c=lambda a, b: 0, d=lambda a, b: 1)
    assert_close(x0_from_eps(xt, t, eps, s), by_hand, **CLOSE)


def test_the_data_give_the_noise_back(noisy):
    s, t, x0, eps, xt = noisy
    assert_close(eps_from_x0(xt, t, x0, s), eps, **CLOSE)
    _, by_hand = solved(noisy, c=lambda a, b: 1, d=lambda a, b: 0)
    assert_close(eps_from_x0(xt, t, x0, s), by_hand, **CLOSE)


@pytest.mark.identity("4.4")
def test_v_is_the_noise_less_the_data_with_exchanged_roots(noisy):
    s, t, x0, eps, _ = noisy
    wanted = torch.empty_like(x0)
    for at in itertools.product(*map(range, x0.shape)):
        alpha_bar = math.prod(s.alpha[: t[at[0]] + 1].tolist())
        wanted[at] = math.sqrt(alpha_bar) * eps[at] - math.sqrt(1 - alpha_bar) * x0[at]
    assert_close(v_from_x0_eps(x0, eps, t, s), wanted, **CLOSE)


@pytest.mark.identity("4.5")
def test_v_gives_the_data_and_the_noise_back(noisy):
    s, t, x0, eps, xt = noisy
    v = v_from_x0_eps(x0, eps, t, s)
    assert_close(x0_from_v(xt, t, v, s), x0, **CLOSE)
    assert_close(eps_from_v(xt, t, v, s), eps, **CLOSE)
    by_hand = solved(noisy, c=lambda a, b: -b, d=lambda a, b: a)
    assert_close((x0_from_v(xt, t, v, s), eps_from_v(xt, t, v, s)), by_hand, **CLOSE)


def test_v_is_the_speed_at_which_x_t_turns_from_data_to_noise(noisy):
    """With sqrt(alpha_bar) = cos(phi), x_t = cos(phi) x0 + sin(phi) eps and v = d x_t / d phi."""
    s, t, x0, eps, _ = noisy
    phi, h = s.alpha_bar[t].sqrt().acos()[:, None, None], 1e-5
    ahead, behind = [(phi + k).cos() * x0 + (phi + k).sin() * eps for k in (h, -h)]
    assert_close(v_from_x0_eps(x0, eps, t, s), (ahead - behind) / (2 * h), rtol=0, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_predictions_keep_the_dtype_of_their_input(dtype):
    s, t = linear(1000), torch.tensor([1, 500, 1000])
    x, y = random(3, 2, seed=2), random(3, 2, seed=3)
    for function in (x0_from_eps, eps_from_x0, x0_from_v, eps_from_v, reverse_for_loop):
        exact = function(x, t, y, s)
        ours = function(x.to(dtype), t, y.to(dtype), s)
        assert ours.dtype == dtype
        # the largest coefficient, 1/sqrt(alpha_bar_T) = 157, multiplies the rounding of the input
        error = 4 * 157 * torch.finfo(dtype).eps * (x.abs() + y.abs()).max().item()
        assert_close(ours.double(), exact, rtol=0, atol=error)


def reverse_for_loop(xt, t, eps, s):
    return reverse_mean(xt, eps, t, s)


# Models


def test_a_model_of_x0_or_of_v_becomes_the_model_of_eps_it_implies(noisy):
    s, t, x0, eps, xt = noisy
    asked = []

    def oracle(target):
        def model(x, steps):
            asked.append((x, steps))
            return target

        return model

    models = [
        as_eps_model(oracle(x0), eps_from_x0, s),
        as_eps_model(oracle(v_from_x0_eps(x0, eps, t, s)), eps_from_v, s),
    ]
    for number, model in enumerate(models, 1):
        assert_close(model(xt, t), eps, **CLOSE)
        assert len(asked) == number
    assert all(x is xt and steps is t for x, steps in asked)


def test_clipping_the_predicted_x0_moves_the_eps_it_implies(noisy):
    s, t, x0, eps, xt = noisy
    model = as_eps_model(lambda x, t: x0.clamp(-1, 1), eps_from_x0, s)
    assert_close(x0_from_eps(xt, t, model(xt, t), s), x0.clamp(-1, 1), **CLOSE)
    unchanged = x0.abs() <= 1
    assert 0.1 < unchanged.double().mean() < 0.9
    assert_close(model(xt, t)[unchanged], eps[unchanged], **CLOSE)


# The reverse mean and its variances


@pytest.mark.identity("2.13")
def test_the_reverse_mean_is_the_posterior_mean_with_x0_written_in_eps(noisy):
    s, t, x0, eps, xt = noisy
    mean, _ = posterior(x0, xt, t, s)
    assert_close(reverse_mean(xt, eps, t, s), mean, **CLOSE)
    eps_hat = 2 * random(*xt.shape, seed=4)  # any guess, right or wrong
    mean, _ = posterior(x0_from_eps(xt, t, eps_hat, s), xt, t, s)
    assert_close(reverse_mean(xt, eps_hat, t, s), mean, **CLOSE)


@pytest.mark.identity("2.13")
def test_the_reverse_mean_is_the_formula_element_by_element(noisy):
    s, t, _, eps, xt = noisy
    wanted = torch.empty_like(xt)
    for at in itertools.product(*map(range, xt.shape)):
        beta = s.beta[t[at[0]]].item()
        alpha_bar = math.prod(s.alpha[: t[at[0]] + 1].tolist())
        step = beta / math.sqrt(1 - alpha_bar)
        wanted[at] = (xt[at] - step * eps[at]) / math.sqrt(1 - beta)
    assert_close(reverse_mean(xt, eps, t, s), wanted, **CLOSE)


@every_schedule
def test_the_fixed_variances_are_beta_and_a_share_of_it(make):
    s = make(T)
    small, large = [0.0], [0.0]
    for t in range(1, T + 1):
        alpha_bar_prev = math.prod(s.alpha[:t].tolist())
        alpha_bar = alpha_bar_prev * s.alpha[t].item()
        small.append((1 - alpha_bar_prev) / (1 - alpha_bar) * s.beta[t].item())
        large.append(s.beta[t].item())
    assert_close(fixed_small(s), torch.tensor(small, dtype=torch.float64), rtol=1e-11, atol=0)
    assert_close(fixed_large(s), torch.tensor(large, dtype=torch.float64), rtol=0, atol=0)
    t = torch.tensor([T, 1, 7])
    assert_close(posterior_variance(t, s), fixed_small(s)[t], rtol=0, atol=0)
    assert (fixed_small(s)[1:] < fixed_large(s)[1:]).all() and fixed_small(s)[1] == 0


def test_beta_tilde_at_the_second_step_is_45_percent_of_beta():
    """A reference value: linear, T = 1000."""
    s = linear(1000)
    assert_close((fixed_small(s)[2] / s.beta[2]).item(), 0.45474, rtol=0, atol=5e-6)


def test_changing_a_returned_variance_leaves_the_schedule_alone():
    s = linear(T)
    fixed_large(s)[3] = 0.5
    fixed_small(s)[3] = 0.5
    assert_close(s.beta, linear(T).beta, rtol=0, atol=0)


@every_schedule
def test_beta_is_exact_for_standard_normal_data_and_beta_tilde_for_one_known_point(make):
    """Var(x_{t-1} | x_t) by conditioning two jointly normal numbers, for x0 of variance 1 and 0."""
    s = make(T)
    for variance_of_data, fixed in ((1.0, fixed_large(s)), (0.0, fixed_small(s))):
        for t in range(1, T + 1):
            alpha, alpha_bar_prev = s.alpha[t].item(), s.alpha_bar[t - 1].item()
            before = alpha_bar_prev * variance_of_data + 1 - alpha_bar_prev
            now = alpha * before + 1 - alpha
            conditional = before - alpha * before**2 / now
            assert_close(fixed[t].item(), conditional, rtol=1e-9, atol=1e-14)
