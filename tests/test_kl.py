"""KL between Gaussians beside integration, torch.distributions and what people get wrong."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from diffedu.diffusion.gaussian import kl_gaussian

PAIRS = [
    (0.0, 0.7, 1.4, 1.9),
    (-2.0, 3.0, 0.5, 0.8),
    (0.1, 0.05, 0.12, 0.06),
    (4.0, 1.0, -4.0, 9.0),
]


def kl(mean_1, sigma_1, mean_2, sigma_2) -> float:
    values = torch.tensor([mean_1, sigma_1**2, mean_2, sigma_2**2], dtype=torch.float64)
    return kl_gaussian(*values).item()


@pytest.mark.identity("3.6")
@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_kl_is_the_integral_of_p_log_p_over_q(pair):
    mean_1, sigma_1, mean_2, sigma_2 = pair
    p, q = norm(mean_1, sigma_1), norm(mean_2, sigma_2)
    ends = mean_1 - 12 * sigma_1, mean_1 + 12 * sigma_1
    wanted, _ = quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), *ends, epsabs=1e-12)
    assert_close(kl(*pair), wanted, rtol=1e-9, atol=0)


def test_the_order_matters_and_so_does_the_square():
    """Swapped it would be 4.185, with standard deviations for variances .6993."""
    mean_1, sigma_1, mean_2, sigma_2 = PAIRS[0]
    assert_close(kl(mean_1, sigma_1, mean_2, sigma_2), 0.8378640, rtol=0, atol=5e-8)
    assert_close(kl(mean_2, sigma_2, mean_1, sigma_1), 4.185145, rtol=0, atol=5e-7)
    roots = math.sqrt(sigma_1), math.sqrt(sigma_2)
    assert_close(kl(mean_1, roots[0], mean_2, roots[1]), 0.699264, rtol=0, atol=5e-7)


@pytest.mark.identity("3.6")
def test_kl_of_arrays_is_that_of_torch_distributions_element_by_element():
    generator = torch.Generator().manual_seed(0)
    mean = 3 * torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64)
    sigma = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64).exp()
    wanted = kl_divergence(Normal(mean[0], sigma[0]), Normal(mean[1], sigma[1]))
    ours = kl_gaussian(mean[0], sigma[0] ** 2, mean[1], sigma[1] ** 2)
    assert_close(ours, wanted, rtol=1e-10, atol=1e-12)


def test_arguments_broadcast_as_in_numpy():
    mean, variance = torch.tensor([[1.0], [-2.0]]), torch.tensor([0.5, 2.0, 3.0])
    ours = kl_gaussian(mean, variance, torch.zeros(()), torch.ones(()))
    wanted = kl_divergence(Normal(mean, variance.sqrt()), Normal(0.0, 1.0))
    assert_close(ours, wanted, rtol=1e-5, atol=1e-6)


def test_a_distribution_has_no_distance_to_itself_and_every_other_some():
    mean, variance = torch.tensor([0.0, 3.0, -1e3]), torch.tensor([1e-6, 0.3, 50.0])
    assert_close(kl_gaussian(mean, variance, mean, variance), torch.zeros(3), rtol=0, atol=0)
    generator = torch.Generator().manual_seed(1)
    nearly = variance * (1 + 1e-3 * torch.randn(200, 3, generator=generator))
    assert (kl_gaussian(mean, nearly, mean, variance) >= 0).all()


def test_float32_keeps_the_kl_of_two_nearly_equal_variances():
    """Of order (1e-3)^2: log(sigma_2 / sigma_1) + ... - 1/2 as printed would lose it."""
    variance = torch.tensor([0.02, 0.3, 5.0])
    nearly = variance * 1.001
    zero = torch.zeros(3)
    exact = kl_gaussian(zero.double(), nearly.double(), zero.double(), variance.double())
    ours = kl_gaussian(zero, nearly, zero, variance)
    assert_close(ours.double(), exact, rtol=2e-3, atol=0)


def test_the_gradient_is_that_of_the_formula():
    generator = torch.Generator().manual_seed(2)
    mean = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    root = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)

    def loss(mean, root):
        return kl_gaussian(mean[0], root[0].exp(), mean[1], root[1].exp())

    assert torch.autograd.gradcheck(loss, (mean, root))
