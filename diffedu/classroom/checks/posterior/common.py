"""For the authors of this room: what a wrong posterior or a wrong mean does to samples."""

from collections.abc import Callable

from torch import Tensor

from diffedu.classroom.checks import bench
from diffedu.diffusion.gaussian import fixed_small, x0_from_eps
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import per_sample

Coefficient = Callable[[Tensor, Schedule], Tensor]
Posterior = Callable[..., tuple[Tensor, Tensor]]  # (x0, xt, t, s) -> mean, variance


def weighted(c0: Coefficient, ct: Coefficient) -> Callable[..., Tensor]:
    """A mean like (2.8) with other weights."""

    def mean(x0, xt, t, s):
        return per_sample(c0(t, s), x0) * x0 + per_sample(ct(t, s), x0) * xt

    return mean


def with_beta_tilde(mean: Callable[..., Tensor]) -> Posterior:
    """A mean (x0, xt, t, s) as a posterior, with the right variance beside it."""
    return lambda x0, xt, t, s: (mean(x0, xt, t, s), fixed_small(s)[t])


def by_posterior(wrong: Posterior) -> str:
    """What samples look like if each step draws from this posterior, with the best x0_hat in it."""

    def step(xt, eps_hat, t, s, variance, noise):
        mean, variance = wrong(x0_from_eps(xt, t, eps_hat, s), xt, t, s)
        return mean + per_sample(variance.flatten().sqrt(), xt) * noise

    return bench.by_step(step)


def by_mean(wrong: Callable[..., Tensor]) -> str:
    """The same for a mean (xt, eps_hat, t, s), with beta-tilde beside it."""

    def step(xt, eps_hat, t, s, variance, noise):
        return wrong(xt, eps_hat, t, s) + per_sample(variance[t].sqrt(), xt) * noise

    return bench.by_step(step)
