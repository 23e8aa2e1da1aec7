"""The decoders beside fifty-digit arithmetic, scipy and torch.distributions."""

import itertools
import math

import mpmath
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal
from torch.testing import assert_close

from diffedu.diffusion import gaussian
from diffedu.diffusion.decoder import decoder_log_prob, gaussian_log_prob

LEVELS = (2, 17, 256)
SIGMAS = (1e-3, 0.02, 0.3, 1.0, 10.0)
MEANS = (-40.0, -3.0, -1.03, -1.0, -0.2, 0.0, 0.6, 1.0, 1.03, 5.0)  # in the range and far outside


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def grid(levels: int, dtype=torch.float64) -> torch.Tensor:
    return torch.linspace(-1, 1, levels, dtype=torch.float64).to(dtype)[:, None]


def exact_log_prob(level: int, levels: int, mean: float, sigma: float) -> float:
    """log of the normal mass in a bin, by the complementary error function in 50 digits."""
    with mpmath.workdps(50):
        scale = mpmath.sqrt(2) * mpmath.mpf(sigma)
        half = mpmath.mpf(1) / (levels - 1)
        centre = 2 * level * half - 1
        below = -mpmath.inf if level == 0 else (centre - half - mpmath.mpf(mean)) / scale
        above = mpmath.inf if level == levels - 1 else (centre + half - mpmath.mpf(mean)) / scale
        if below + above > 0:  # mirror: erfc is small, and accurate, to its right
            below, above = -above, -below
        return float(mpmath.log((mpmath.erfc(-above) - mpmath.erfc(-below)) / 2))


# The discretised decoder


@pytest.mark.identity("3.10")
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("levels", LEVELS)
def test_the_levels_sum_to_1_wherever_the_mean_lies(levels, sigma):
    x0 = grid(levels).expand(levels, len(MEANS)).contiguous()
    log_p = decoder_log_prob(x0, float64(MEANS).expand_as(x0).contiguous(), sigma, levels)
    assert_close(log_p.exp().sum(0), torch.ones(len(MEANS)).double(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("sigma", "without"), [(0.01, 0.653), (0.1, 0.516)])
def test_without_the_open_ends_of_the_outer_bins_much_would_be_lost(sigma, without):
    half, mean = 1 / 255, 1.0
    closed = norm.cdf(1 + half, mean, sigma) - norm.cdf(-1 - half, mean, sigma)
    assert_close(float(closed), without, rtol=0, atol=5e-4)
    x0 = grid(256)
    assert_close(decoder_log_prob(x0, torch.ones_like(x0), sigma).exp().sum().item(), 1.0)


@pytest.mark.identity("3.10")
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("levels", LEVELS)
def test_a_level_has_the_normal_mass_of_its_bin_even_in_the_far_tails(levels, sigma, mean):
    """Down to exp(-10^9): where a difference of two CDFs, and its logarithm, is long 0."""
    chosen = sorted({0, 1, levels // 3, levels // 2, levels - 2, levels - 1})
    x0 = grid(levels)[chosen]
    ours = decoder_log_prob(x0, torch.full_like(x0, mean), float64(sigma), levels)
    wanted = [[exact_log_prob(level, levels, mean, sigma)] for level in chosen]
    # relative in the logarithm; absolute 1e-13 where the bin holds all, and the logarithm is 0
    assert_close(ours, float64(wanted), rtol=1e-9, atol=1e-13)


def test_near_the_mean_it_is_the_difference_of_two_cdfs():
    generator = torch.Generator().manual_seed(0)
    level = torch.randint(1, 255, (4, 3, 5), generator=generator)
    x0 = level.double() * 2 / 255 - 1
    mean = x0 + 0.05 * torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    sigma = 0.02 + 0.1 * torch.rand(4, 1, 1, generator=generator, dtype=torch.float64)
    p = Normal(mean, sigma).cdf(x0 + 1 / 255) - Normal(mean, sigma).cdf(x0 - 1 / 255)
    assert_close(decoder_log_prob(x0, mean, sigma).exp(), p, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("levels", LEVELS)
def test_values_and_gradients_are_finite_in_float32_everywhere(levels):
    for mean, sigma in itertools.product((*MEANS, 40.0), SIGMAS):
        x0 = grid(levels, torch.float32)
        mean = torch.full_like(x0, mean, requires_grad=True)
        sigma = torch.tensor(sigma, requires_grad=True)
        log_p = decoder_log_prob(x0, mean, sigma, levels)
        assert log_p.dtype == torch.float32
        assert torch.isfinite(log_p).all() and (log_p <= 0).all()
        for gradient in torch.autograd.grad(log_p.sum(), (mean, sigma)):
            assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("levels", LEVELS)
def test_the_gradient_is_the_slope(levels):
    x0 = grid(levels)[[0, levels // 3, levels // 2, levels - 1]]
    away = float64([[0.3], [-0.1], [0.02], [-2.0]])
    mean = (x0 + away).requires_grad_()
    sigma = float64([[0.2], [0.05], [0.7], [0.4]]).requires_grad_()
    assert torch.autograd.gradcheck(lambda m, s: decoder_log_prob(x0, m, s, levels), (mean, sigma))


def test_far_from_its_level_the_mean_is_still_pulled_back():
    """d log p / d mean = (nearest edge - mean) / sigma^2, as of a normal far in its tail."""
    x0, mean = float64([[0.2], [-1.0], [1.0]]), float64([[1.0], [0.5], [-0.5]]).requires_grad_()
    (gradient,) = torch.autograd.grad(decoder_log_prob(x0, mean, 1e-3, 11).sum(), mean)
    edge = float64([[0.3], [-0.9], [0.9]])
    assert_close(gradient, (edge - mean.detach()) / 1e-6, rtol=1e-5, atol=0)


def test_pixels_rounded_to_float32_are_on_the_grid():
    levels = torch.arange(256)[:, None]
    for x0 in (levels / 127.5 - 1, levels.float() / 255 * 2 - 1):
        ours = decoder_log_prob(x0, torch.zeros_like(x0), 0.4).double()
        wanted = [[exact_log_prob(k, 256, 0.0, 0.4)] for k in range(0, 256, 15)]
        assert_close(ours[::15], float64(wanted), rtol=1e-6, atol=0)


def test_both_decoders_are_also_reached_through_gaussian():
    assert gaussian.decoder_log_prob is decoder_log_prob
    assert gaussian.gaussian_log_prob is gaussian_log_prob


# The decoder of continuous data


def test_the_continuous_decoder_is_the_log_of_the_normal_density():
    generator = torch.Generator().manual_seed(1)
    x0, mean = 4 * torch.randn(2, 3, 2, 5, generator=generator, dtype=torch.float64)
    sigma = torch.rand(3, 1, 1, generator=generator, dtype=torch.float64) + 0.01
    ours = gaussian_log_prob(x0, mean, sigma)
    assert_close(ours, Normal(mean, sigma).log_prob(x0), rtol=1e-12, atol=1e-12)
    by_scipy = norm(mean.numpy(), sigma.numpy()).logpdf(x0.numpy())
    assert_close(ours, torch.from_numpy(by_scipy), rtol=1e-12, atol=1e-12)


def test_the_density_integrates_to_1_and_may_exceed_1():
    def density(x):
        return gaussian_log_prob(float64([x]), float64([0.3]), 0.1).exp().item()

    total, _ = quad(density, -1, 1.6, points=[0.3])
    assert_close(total, 1.0, rtol=0, atol=1e-7)
    assert density(0.3) > 3.9


@pytest.mark.parametrize("decoder", [decoder_log_prob, gaussian_log_prob])
def test_a_plain_number_for_sigma_is_as_exact_as_a_tensor(decoder):
    """0.3 is not a float32."""
    x0, mean = float64([[1.0, -1.0, 1 / 255]]), float64([[0.2, -0.7, 0.1]])
    assert_close(decoder(x0, mean, 0.3), decoder(x0, mean, float64(0.3)), rtol=1e-14, atol=0)


def test_a_bin_of_small_width_holds_the_density_times_its_width():
    """Inside the range the two decoders agree so, within a few per cent."""
    x0, mean, sigma = float64([[1 / 255, 51 / 255]]), float64([[0.05, 0.1]]), 0.05
    approximate = gaussian_log_prob(x0, mean, sigma) + math.log(2 / 255)
    assert_close(decoder_log_prob(x0, mean, sigma), approximate, rtol=0, atol=0.02)
