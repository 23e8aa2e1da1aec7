"""Numbers of another implementation, openai/improved-diffusion; golden/README.md describes them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.gaussian import (
    as_eps_model,
    decoder_log_prob,
    eps_from_x0,
    fixed_large,
    fixed_small,
    posterior,
    posterior_variance,
    q_sample,
    reverse_mean,
    x0_from_eps,
)
from diffedu.diffusion.losses import bits_per_dim, decoder_variance, prior_term, vlb_term
from diffedu.diffusion.samplers import ddim_step
from diffedu.diffusion.schedules import Schedule, cosine, linear

FOLDER = Path(__file__).parent / "golden"
DIMS = 2 * 4 * 4
EXACT = {"rtol": 1e-9, "atol": 0}


class Golden:
    """One file, and our own schedule, network and x_t for it."""

    def __init__(self, name: str, make_schedule):
        stored = json.loads((FOLDER / f"{name}.json").read_text())
        self.betas = stored.pop("betas")
        level = torch.tensor(stored.pop("x0_level"), dtype=torch.float64)
        self.t = torch.tensor(stored.pop("t"))
        self.value = {k: torch.tensor(v, dtype=torch.float64) for k, v in stored.items()}
        self.x0 = level / 127.5 - 1
        self.s = make_schedule(self.betas["value"])
        self.xt = q_sample(self.x0, self.t, self.value["eps"], self.s)

    def model(self, clip: int):
        """The stand-in network; clipped, its predicted x0 lies in [-1, 1]."""
        s = self.s
        if not clip:
            return network
        return as_eps_model(
            lambda x, t: x0_from_eps(x, t, network(x, t), s).clamp(-1, 1), eps_from_x0, s
        )


def network(x, t):
    steps = (t - 1).double().view(-1, 1, 1, 1)
    return 0.7 * x.tanh() + 0.2 * (3 * x.flip(-1)).sin() + 0.001 * steps


def row(x):
    """The part of a result that is stored."""
    return x[:, 1, 2]


def tanh_cdf(z):
    return 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def tanh_decoder(x0, mean, sigma):
    """log p(x0 | x_1) per element as openai/improved-diffusion computes it."""
    x0, mean, sigma = x0.numpy(), mean.numpy(), sigma.numpy()
    below, above = tanh_cdf((x0 - mean - 1 / 255) / sigma), tanh_cdf((x0 - mean + 1 / 255) / sigma)
    p = np.where(x0 > 0.999, 1, above) - np.where(x0 < -0.999, 0, below)
    return torch.from_numpy(np.log(np.maximum(p, 1e-12)))


SCHEDULES = {
    "linear_T1000": ("linear_T1000", lambda betas: linear(1000)),
    "cosine_T50": ("cosine_T50", lambda betas: cosine(50)),
    "cosine_T50 from its betas": (
        "cosine_T50",
        lambda betas: Schedule.from_beta(torch.tensor(betas, dtype=torch.float64)),
    ),
}
PARTS = ("mean", "variance", "log_variance", "pred_xstart")
VARIANCES = {"small": fixed_small, "large": fixed_large}
both_variances = pytest.mark.parametrize("which", ["small", "large"])
clipped_or_not = pytest.mark.parametrize("clip", [0, 1])


@pytest.fixture(params=SCHEDULES)
def golden(request):
    return Golden(*SCHEDULES[request.param])


def test_the_betas_are_theirs(golden):
    wanted = torch.tensor(golden.betas["value"], dtype=torch.float64)
    assert_close(golden.s.beta[golden.betas["t"]], wanted, **EXACT)


def test_x_t_is_theirs(golden):
    assert_close(row(golden.xt), golden.value["x_t"], **EXACT)


def test_the_posterior_is_theirs(golden):
    mean, variance = posterior(golden.x0, golden.xt, golden.t, golden.s)
    assert_close(row(mean), golden.value["post_mean"], **EXACT)
    assert_close(variance.flatten(), golden.value["post_var"], **EXACT)
    assert_close(posterior_variance(golden.t, golden.s), golden.value["post_var"], **EXACT)


@clipped_or_not
@both_variances
def test_the_reverse_mean_and_the_predicted_x0_are_theirs(golden, which, clip):
    theirs = golden.value[f"p_{which}_clip{clip}_mean"]
    eps_hat = golden.model(clip)(golden.xt, golden.t)
    x0_hat = x0_from_eps(golden.xt, golden.t, eps_hat, golden.s)
    assert_close(row(x0_hat), golden.value[f"p_{which}_clip{clip}_pred_xstart"], **EXACT)
    assert_close(row(reverse_mean(golden.xt, eps_hat, golden.t, golden.s)), theirs, **EXACT)
    from_x0, _ = posterior(x0_hat, golden.xt, golden.t, golden.s)
    assert_close(row(from_x0), theirs, **EXACT)


@clipped_or_not
@both_variances
def test_the_reverse_variance_is_theirs_with_beta_tilde_2_at_the_last_step(golden, which, clip):
    ours = VARIANCES[which](golden.s)[golden.t]
    with_a_last_step = torch.where(golden.t == 1, decoder_variance(golden.s), ours)
    theirs = golden.value[f"p_{which}_clip{clip}_variance"]
    assert_close(ours if which == "small" else with_a_last_step, theirs, **EXACT)
    theirs = golden.value[f"p_{which}_clip{clip}_log_variance"]
    assert_close(with_a_last_step.log(), theirs, **EXACT)


def bound_in_bits(golden, which, clip, **decoder):
    variance = VARIANCES[which](golden.s)
    model = golden.model(clip)
    nats = vlb_term(model, golden.x0, golden.xt, golden.t, golden.s, variance, **decoder)
    return bits_per_dim(nats, DIMS)


@clipped_or_not
@both_variances
def test_every_term_of_the_bound_with_their_decoder_is_theirs(golden, which, clip):
    theirs = golden.value[f"vb_{which}_clip{clip}"]
    assert_close(bound_in_bits(golden, which, clip, decoder=tanh_decoder), theirs, **EXACT)


@clipped_or_not
@both_variances
def test_with_the_exact_normal_cdf_only_the_last_term_differs_and_by_little(golden, which, clip):
    ours, theirs = bound_in_bits(golden, which, clip), golden.value[f"vb_{which}_clip{clip}"]
    last = golden.t == 1
    assert last.sum() == 1
    assert_close(ours[~last], theirs[~last], **EXACT)
    gap = {50: 5.72e-4, 1000: 2.33e-2}[golden.s.T]
    assert_close((theirs - ours)[last].item(), gap, rtol=0.01, atol=0)


@clipped_or_not
@both_variances
def test_the_last_term_written_out_with_their_cdf_is_theirs(golden, which, clip):
    """Nothing of the package but x_t: so the CDF is all that separates us."""
    at, beta = golden.t == 1, golden.betas["value"]
    alpha_bar_1 = 1 - beta[0]
    beta_2 = golden.s.beta[2].item()  # the linear excerpt skips it; the test above knows the betas
    variance = beta[0] * beta_2 / (1 - alpha_bar_1 * (1 - beta_2))
    eps_hat = network(golden.xt[at], golden.t[at])
    mean = (golden.xt[at] - math.sqrt(beta[0]) * eps_hat) / math.sqrt(alpha_bar_1)
    mean = mean.clamp(-1, 1) if clip else mean
    nats = -tanh_decoder(golden.x0[at], mean, torch.tensor(variance, dtype=torch.float64).sqrt())
    theirs = golden.value[f"vb_{which}_clip{clip}"][at].item()
    assert_close(nats.sum().item() / DIMS / math.log(2), theirs, **EXACT)


def test_a_bin_has_their_probability_within_the_error_of_their_cdf(golden):
    sigma = torch.tensor(math.sqrt(decoder_variance(golden.s)), dtype=torch.float64)
    mean = x0_from_eps(golden.xt, golden.t, network(golden.xt, golden.t), golden.s)
    at = golden.t == 1
    ours = decoder_log_prob(golden.x0[at], mean[at], sigma).exp()
    # |tanh CDF - CDF| <= 1.79e-4 at each of the two ends of a bin
    assert_close(ours, tanh_decoder(golden.x0[at], mean[at], sigma).exp(), rtol=0, atol=3.6e-4)


def test_the_prior_term_is_theirs(golden):
    bits = bits_per_dim(prior_term(golden.x0, golden.s), DIMS)
    assert_close(bits, golden.value["prior_bpd"], **EXACT)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_ddim_step_is_theirs(golden, eta):
    eps_hat = network(golden.xt, golden.t)
    noise = golden.value["ddim_noise"]
    ours = ddim_step(golden.xt, eps_hat, golden.t, golden.t - 1, golden.s, eta, noise)
    assert_close(row(ours), golden.value[f"ddim_eta{eta}"], **EXACT)


def test_every_stored_number_is_used():
    """A key that no test above reads would be a promise nobody keeps."""
    inputs = {"t", "betas", "x0_level", "eps", "ddim_noise"}
    read = {"x_t", "post_mean", "post_var", "prior_bpd"} | {f"ddim_eta{e}" for e in (0.0, 0.5, 1.0)}
    for which in VARIANCES:
        for clip in (0, 1):
            read |= {f"p_{which}_clip{clip}_{part}" for part in PARTS} | {f"vb_{which}_clip{clip}"}
    for file in ("linear_T1000", "cosine_T50"):
        assert set(json.loads((FOLDER / f"{file}.json").read_text())) == inputs | read
