r"""What is minimised: the simple loss, and the variational bound term by term.

Equation numbers are those of DDPM (Ho, Jain, Abbeel 2020). Bound terms are in nats and summed over
a sample's elements; column k of `vlb` is the paper's L_k. `decoder(x0, mean, sigma)` gives log
p(x_0 | x_1) per element: `decoder_log_prob` for data on a grid, `gaussian_log_prob` for continuous
data.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.gaussian import (
    decoder_log_prob,
    fixed_small,
    kl_gaussian,
    posterior,
    q_sample,
    reverse_mean,
)
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import (
    Batch,
    EpsModel,
    PerSample,
    PerStep,
    Steps,
    mean_over_sample,
    per_sample,
    sum_over_sample,
)

Decoder = Callable[[Tensor, Tensor, Tensor], Tensor]


def l_simple(model: EpsModel, x0: Batch, t: Steps, eps: Batch, s: Schedule) -> PerSample:
    r"""Squared error of the predicted noise, averaged over each sample (DDPM eq. 14).

    $\lVert\epsilon - \epsilon_\theta(x_t, t)\rVert^2 / D$ with x_t = `q_sample(x0, t, eps, s)`
    """
    expect.function("model", model)
    xt = q_sample(x0, t, eps, s)
    return mean_over_sample((eps - _predict(model, xt, t)) ** 2)


def l_simple_weight(s: Schedule, variance: PerStep) -> PerStep:
    r"""The weight of the squared error in L_{t-1}, which L_simple drops (DDPM eq. 12).

    $\frac{\beta_t^2}{2\sigma_t^2\,\alpha_t\,(1-\bar\alpha_t)}$; 0 at index 0, infinite where the
    variance is 0 (t = 1 with `fixed_small`).
    """
    expect.variances("variance", variance, s.T)
    weight = s.beta**2 / (2 * variance * s.alpha * (1 - s.alpha_bar))
    return torch.cat([torch.zeros_like(weight[:1]), weight[1:]])


def prior_term(x0: Batch, s: Schedule) -> PerSample:
    r"""L_T: KL from q(x_T | x_0) to the standard normal, in nats (DDPM eq. 5).

    No parameter to learn while the schedule is fixed; small, and not 0.
    """
    expect.batch("x0", x0)
    alpha_bar = s.alpha_bar[s.T].to(x0.device)
    mean = (
        alpha_bar.sqrt() * x0.double()
    )  # in float32 the KL of two nearly equal variances is only rounding
    kl = kl_gaussian(mean, 1 - alpha_bar, torch.zeros_like(mean), torch.ones_like(alpha_bar))
    return sum_over_sample(kl).to(x0)


def vlb_term(
    model: EpsModel,
    x0: Batch,
    xt: Batch,
    t: Steps,
    s: Schedule,
    variance: PerStep,
    decoder: Decoder = decoder_log_prob,
    variance_1: float | None = None,
) -> PerSample:
    r"""L_{t-1} at a drawn x_t in nats: a KL; at t = 1, -log p(x_0 | x_1) (DDPM eq. 5).

    `variance` holds the reverse variances (T+1,), positive from t = 2 on. At t = 1 both fixed
    choices use beta-tilde_2 instead (beta-tilde_1 is 0; the authors' code does the same);
    `variance_1` overrides it.
    """
    _check_likelihood(model, decoder, s, variance)
    expect.batch("x0", x0)
    expect.like("xt", xt, x0)
    x0_wide, xt_wide = x0.double(), xt.double()  # the KL compares two nearly equal Gaussians
    mean_q, variance_q = posterior(x0_wide, xt_wide, t, s)
    mean_p = reverse_mean(xt_wide, _predict(model, xt, t).double(), t, s)
    term = torch.empty_like(x0_wide)
    last, rest = t == 1, t > 1
    if last.any():
        variance_p = torch.tensor(decoder_variance(s, variance_1), dtype=torch.float64)
        term[last] = -decoder(x0_wide[last], mean_p[last], variance_p.sqrt().to(x0.device))
    if rest.any():
        variance_p = per_sample(variance[t.cpu()], x0_wide)[rest]
        term[rest] = kl_gaussian(mean_q[rest], variance_q[rest], mean_p[rest], variance_p)
    return sum_over_sample(term).to(x0)


def vlb(
    model: EpsModel,
    x0: Batch,
    s: Schedule,
    variance: PerStep,
    decoder: Decoder = decoder_log_prob,
    *,
    generator: torch.Generator,
    variance_1: float | None = None,
) -> Float[Tensor, " b terms"]:
    r"""Every term of the variational bound, (B, T+1) in nats: column k is L_k (DDPM eq. 5).

    The sum over a row estimates an upper bound of -log p(x_0): for every t one x_t is drawn from
    q(x_t | x_0).
    """
    expect.batch("x0", x0)
    expect.generator("generator", generator)
    terms = []
    for step in range(1, s.T + 1):
        t = torch.full((len(x0),), step, device=x0.device)
        eps = torch.randn(x0.shape, generator=generator, dtype=x0.dtype, device=x0.device)
        terms.append(
            vlb_term(model, x0, q_sample(x0, t, eps, s), t, s, variance, decoder, variance_1)
        )
    return torch.stack([*terms, prior_term(x0, s)], dim=1)


def bits_per_dim(nats: Tensor, dims: int) -> Tensor:
    r"""Nats per sample to bits per dimension: $\mathrm{nats} / (D \ln 2)$ with D = `dims`."""
    expect.tensor("nats", nats)
    expect.finite("nats", nats)
    expect.integer("dims", dims, 1)
    return nats / (dims * math.log(2))


def decoder_variance(s: Schedule, variance_1: float | None = None) -> float:
    """The variance of p(x_0 | x_1): `variance_1` if given, else beta-tilde_2."""
    if variance_1 is None:
        if s.T < 2:
            expect.fail("s", "T >= 2 or a variance_1, for want of beta-tilde_2", f"T={s.T}")
        return fixed_small(s)[2].item()
    expect.positive("variance_1", variance_1)
    return float(variance_1)


def _predict(model: EpsModel, xt: Batch, t: Steps) -> Batch:
    eps_hat = model(xt, t)
    expect.like("eps_hat", eps_hat, xt)
    return eps_hat


def _check_likelihood(model: EpsModel, decoder: Decoder, s: Schedule, variance: PerStep) -> None:
    expect.function("model", model)
    expect.function("decoder", decoder)
    expect.variances("variance", variance, s.T)
    if s.T > 1:
        expect.positive("variance[2:]", variance[2:])
