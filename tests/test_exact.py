"""The exact mixtures, against quadrature, Monte Carlo, autograd and plain loops."""

import math

import pytest
import scipy.stats
import torch

from diffedu.diffusion.exact import (
    Mixture,
    eps_model,
    gaussian,
    log_density,
    noised,
    points,
    sample,
    x0_mean,
    x0_variance,
)
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import cosine, linear

S = linear(40)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


LINE = Mixture(double(0.2, 0.5, 0.3), double([-1.5], [0.4], [1.1]), double(0.3, 0.7, 0.15))
PLANE = Mixture(
    double(0.2, 0.5, 0.3), double([-1.5, 0.2], [0.4, -0.9], [1.1, 1.3]), double(0.3, 0.7, 0.25)
)
BOTH = pytest.mark.parametrize("mixture", [LINE, PLANE], ids=["1-D", "2-D"])


def by_torch(mixture):
    """The same mixture as a torch.distributions object."""
    D = torch.distributions
    parts = D.Independent(D.Normal(mixture.mean, mixture.sigma[:, None]), 1)
    return D.MixtureSameFamily(D.Categorical(mixture.weight), parts)


def grid(dims, step, reach=7.0):
    """Every point of a regular grid, (N, dims), and the volume of a cell."""
    axis = torch.arange(-reach, reach, step, dtype=torch.float64)
    return torch.cartesian_prod(*[axis] * dims).reshape(-1, dims), step**dims


def posterior_by_bayes(mixture, xt, t, s):
    """q(x0 | xt) on a grid, one row per x_t: Bayes' rule and nothing else."""
    x0, _ = grid(mixture.mean.shape[1], 0.02 if mixture is LINE else 0.05)
    alpha_bar = (1 - s.beta[1:]).cumprod(0)[t - 1][:, None]
    misfit = (xt[:, None] - alpha_bar.sqrt()[..., None] * x0) ** 2
    joint = by_torch(mixture).log_prob(x0) - misfit.sum(-1) / (2 * (1 - alpha_bar))
    return joint.softmax(1), x0


@BOTH
def test_samples_have_the_moments_of_the_mixture(mixture):
    n = 100_000
    x = sample(mixture, n, seeded(1))
    within = (mixture.weight * mixture.sigma**2).sum() * torch.eye(x.shape[1]).double()
    second = within + (mixture.weight * mixture.mean.T) @ mixture.mean
    for drawn, exact in [
        (x, mixture.weight @ mixture.mean),
        (x[:, :, None] * x[:, None, :], second),
    ]:
        standard_error = drawn.std(0) / math.sqrt(n)
        assert ((drawn.mean(0) - exact).abs() < 4.5 * standard_error).all()


def test_samples_follow_the_distribution_function_of_the_mixture():
    x = sample(LINE, 20_000, seeded(2)).flatten().numpy()
    parts = [scipy.stats.norm(m, s) for m, s in zip(LINE.mean[:, 0], LINE.sigma, strict=True)]

    def cdf(at):
        return sum(w.item() * part.cdf(at) for w, part in zip(LINE.weight, parts, strict=True))

    assert scipy.stats.kstest(x, cdf).pvalue > 1e-3


def test_the_same_seed_draws_the_same_points():
    first, again, other = (sample(PLANE, 50, seeded(seed)) for seed in (3, 3, 4))
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert not torch.equal(other, first)


def test_a_gaussian_is_one_component_with_the_same_mean_in_every_dimension():
    one = gaussian(0.5, 0.3, dims=3)
    expected = torch.distributions.Normal(double(0.5, 0.5, 0.5), 0.3)
    x = draw(7, 3, seed=5)
    torch.testing.assert_close(log_density(one, x), expected.log_prob(x).sum(1))


@BOTH
def test_the_density_integrates_to_1(mixture):
    x, cell = grid(mixture.mean.shape[1], 0.04)
    total = log_density(mixture, x).exp().sum() * cell
    torch.testing.assert_close(total, double(1.0)[0], rtol=0, atol=1e-9)


@BOTH
def test_the_density_is_that_of_torch_distributions_also_far_out(mixture):
    x = torch.cat(
        [draw(11, mixture.mean.shape[1], seed=6), 40 * draw(3, mixture.mean.shape[1], seed=7)]
    )
    torch.testing.assert_close(log_density(mixture, x), by_torch(mixture).log_prob(x))


@BOTH
@pytest.mark.parametrize("t", [1, 13, 40])
def test_the_noised_density_is_the_integral_over_the_clean_data(mixture, t):
    xt = 1.5 * draw(5, mixture.mean.shape[1], seed=8)
    x0, cell = grid(mixture.mean.shape[1], 0.02 if mixture is LINE else 0.05)
    alpha_bar = (1 - S.beta[1 : t + 1]).prod()
    kernel = torch.distributions.Normal(alpha_bar.sqrt() * x0, (1 - alpha_bar).sqrt())
    log_q = kernel.log_prob(xt[:, None]).sum(-1) + by_torch(mixture).log_prob(x0)
    expected = log_q.logsumexp(1) + math.log(cell)
    torch.testing.assert_close(
        log_density(noised(mixture, t, S), xt), expected, rtol=1e-8, atol=1e-8
    )


def test_noised_at_t_0_is_the_data_itself():
    x = draw(9, 2, seed=9)
    torch.testing.assert_close(log_density(noised(PLANE, 0, S), x), by_torch(PLANE).log_prob(x))


def test_noised_points_are_distributed_as_q_sample_of_them():
    n, t = 100_000, 25
    x0 = sample(LINE, n, seeded(10))
    xt = q_sample(x0, torch.full((n,), t), draw(n, 1, seed=11), S)
    drawn = sample(noised(LINE, t, S), n, seeded(12))
    assert scipy.stats.ks_2samp(xt.flatten().numpy(), drawn.flatten().numpy()).pvalue > 1e-3


@BOTH
def test_the_mean_and_variance_of_x0_are_those_of_bayes_on_a_grid(mixture):
    t = torch.tensor([1, 2, 7, 20, 33, 40])
    xt = 1.5 * draw(6, mixture.mean.shape[1], seed=13)
    weight, x0 = posterior_by_bayes(mixture, xt, t, S)
    mean = weight @ x0
    torch.testing.assert_close(x0_mean(mixture, xt, t, S), mean, rtol=1e-7, atol=1e-7)
    spread = ((x0 - mean[:, None]) ** 2).sum(-1)
    variance = (weight * spread).sum(1)
    torch.testing.assert_close(x0_variance(mixture, xt, t, S), variance, rtol=1e-7, atol=1e-7)


@BOTH
def test_the_error_no_denoiser_can_avoid_is_the_mean_of_x0_variance(mixture):
    n = 50_000
    x0 = sample(mixture, n, seeded(14))
    t = torch.randint(1, 41, (n,), generator=seeded(15))
    xt = q_sample(x0, t, draw(n, x0.shape[1], seed=16), S)
    error = ((x0 - x0_mean(mixture, xt, t, S)) ** 2).sum(1)
    excess = error - x0_variance(mixture, xt, t, S)
    assert abs(excess.mean()) < 4 * excess.std() / math.sqrt(n)


@pytest.mark.identity("4.10")
@BOTH
def test_the_best_eps_is_the_score_of_the_noised_density(mixture):
    for t in (1, 13, 40):
        xt = (1.5 * draw(5, mixture.mean.shape[1], seed=17)).requires_grad_()
        alpha_bar = (1 - S.beta[1 : t + 1]).prod()
        parts = torch.distributions.Normal(
            alpha_bar.sqrt() * mixture.mean,
            (alpha_bar * mixture.sigma**2 + 1 - alpha_bar).sqrt()[:, None],
        )
        log_q = (parts.log_prob(xt[:, None]).sum(-1) + mixture.weight.log()).logsumexp(1)
        (score,) = torch.autograd.grad(log_q.sum(), xt)
        eps_hat = eps_model(mixture, S)(xt.detach(), torch.full((5,), t))
        torch.testing.assert_close(eps_hat, -(1 - alpha_bar).sqrt() * score, rtol=1e-9, atol=1e-9)


def test_the_best_denoiser_of_a_finite_set_is_the_softmax_over_its_members():
    data, s = draw(6, 2, 3, 4, seed=18), cosine(30)
    t = torch.tensor([1, 9, 17, 25, 30])
    xt = q_sample(data[:5], t, draw(5, 2, 3, 4, seed=19), s)
    expected = torch.empty_like(xt)
    for i in range(5):
        alpha_bar = s.alpha_bar[t[i]].item()
        closeness = [
            -((xt[i] - math.sqrt(alpha_bar) * y) ** 2).sum().item() / (2 * (1 - alpha_bar))
            for y in data
        ]
        weights = [math.exp(c - max(closeness)) for c in closeness]
        x0_hat = sum(w * y for w, y in zip(weights, data, strict=True)) / sum(weights)
        expected[i] = (xt[i] - math.sqrt(alpha_bar) * x0_hat) / math.sqrt(1 - alpha_bar)
    model = eps_model(points(data), s)
    torch.testing.assert_close(model(xt, t), expected, rtol=1e-9, atol=1e-9)


def test_at_the_last_t_of_cosine_the_best_x0_is_the_mean_of_the_data():
    s, xt = cosine(1000), draw(5, 2, seed=20)
    t = torch.full((5,), 1000)
    mean = PLANE.weight @ PLANE.mean
    torch.testing.assert_close(x0_mean(PLANE, xt, t, s), mean.expand(5, 2), rtol=0, atol=1e-3)
    spread = ((PLANE.mean - mean) ** 2).sum(1) + 2 * PLANE.sigma**2
    variance = (PLANE.weight @ spread).expand(5)
    torch.testing.assert_close(x0_variance(PLANE, xt, t, s), variance, rtol=0, atol=1e-3)


def test_a_float32_question_gets_a_float32_answer_close_to_the_float64_one():
    xt, t = draw(5, 2, seed=21), torch.tensor([1, 2, 13, 27, 40])
    for function in (x0_mean, x0_variance):
        answer = function(PLANE, xt.float(), t, S)
        torch.testing.assert_close(answer, function(PLANE, xt, t, S).float(), rtol=1e-5, atol=1e-5)
    eps_hat, exact = (eps_model(PLANE, S)(x, t) for x in (xt.float(), xt))
    torch.testing.assert_close(eps_hat, exact.float(), rtol=1e-4, atol=1e-4)
    density = log_density(PLANE, xt.float())
    torch.testing.assert_close(density, log_density(PLANE, xt).float(), rtol=1e-5, atol=1e-5)
