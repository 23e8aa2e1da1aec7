"""What goes wrong in gaussian.py and decoder.py; faults_forward and faults_posterior come along."""

import math

import torch

import faults_forward
import faults_posterior
from fault_parts import fault, minus, mixing, mixing_t_third, noise, one, over, signal

DECODER = {"module": "diffedu.diffusion.decoder"}


def not_converted(original):
    return lambda model, to_eps, s: model


def converted_at_the_step_before(original):
    return lambda model, to_eps, s: lambda x, t: to_eps(x, (t - 1).clamp(min=1), model(x, t), s)


def kl_of(change):
    """kl_gaussian of changed (mean_1, variance_1, mean_2, variance_2)."""
    return lambda original: lambda *args: original(*change(*args))


def sigma_squared_again(original):
    def log_prob(x0, mean, sigma, *levels):
        return original(x0, mean, torch.as_tensor(sigma).to(x0) ** 2, *levels)

    return log_prob


def bins(half_width, open_ends=True, least=0.0):
    """The decoder as a difference of two CDFs, in the dtype of the data."""

    def replacement(original):
        def decoder_log_prob(x0, mean, sigma, levels=256):
            half = half_width / (levels - 1)
            above = torch.special.ndtr((x0 + half - mean) / sigma)
            below = torch.special.ndtr((x0 - half - mean) / sigma)
            if open_ends:
                above = torch.where(x0 > 1 - half, 1.0, above)
                below = torch.where(x0 < -1 + half, 0.0, below)
            return (above - below).clamp(min=least).log().to(x0)

        return decoder_log_prob

    return replacement


def without_the_root_of_2_pi(original):
    return lambda x0, mean, sigma: original(x0, mean, sigma) + 0.5 * math.log(2 * math.pi)


FAULTS = (
    *faults_forward.FAULTS,
    *faults_posterior.FAULTS,
    fault(
        "predictions",
        "x0_from_eps: 1 - alpha_bar without its root",
        mixing(over(one, signal), lambda s, t: -(noise(s, t) ** 2) / signal(s, t)),
        "2.12",
    ),
    fault("predictions", "eps_from_x0: not divided", mixing(one, minus(signal))),
    fault("predictions", "v_from_x0_eps: sign", mixing_t_third(noise, signal), "4.4"),
    fault(
        "predictions", "v_from_x0_eps: roots exchanged", mixing_t_third(minus(signal), noise), "4.4"
    ),
    fault(
        "predictions",
        "x0_from_v: v read as eps",
        mixing(over(one, signal), minus(over(noise, signal))),
        "4.5",
    ),
    fault("predictions", "x0_from_v: sign", mixing(signal, noise), "4.5"),
    fault("predictions", "eps_from_v: sign", mixing(noise, minus(signal)), "4.5"),
    fault(
        "predictions", "eps_from_v: v read as eps", mixing(lambda s, t: 0 * s.beta[t], one), "4.5"
    ),
    fault("predictions", "as_eps_model: not converted", not_converted),
    fault("predictions", "as_eps_model: at the step before", converted_at_the_step_before),
    fault("kl", "kl_gaussian: sigma", kl_of(lambda m, v, n, w: (m, v.sqrt(), n, w.sqrt())), "3.6"),
    fault("kl", "kl_gaussian: means left out", kl_of(lambda m, v, n, w: (m, v, m, w)), "3.6"),
    fault("decoder", "decoder_log_prob: no open ends", bins(1, open_ends=False), "3.10", **DECODER),
    fault("decoder", "decoder_log_prob: half-width 2/(levels-1)", bins(2), "3.10", **DECODER),
    fault("decoder", "decoder_log_prob: a difference of CDFs", bins(1), **DECODER),
    fault("decoder", "decoder_log_prob: cut off at 1e-12", bins(1, least=1e-12), **DECODER),
    fault("decoder", "decoder_log_prob: variance", sigma_squared_again, "3.10", **DECODER),
    fault("decoder", "gaussian_log_prob: variance", sigma_squared_again, **DECODER),
    fault("decoder", "gaussian_log_prob: not normalised", without_the_root_of_2_pi, **DECODER),
    fault(
        "predictions",
        "x0_from_eps: 1/sqrt(alpha_t)",
        mixing(lambda s, t: s.alpha[t].rsqrt(), lambda s, t: -noise(s, t) * s.alpha[t].rsqrt()),
        "2.12",
    ),
    fault("predictions", "x0_from_eps: not divided", mixing(one, minus(noise)), "2.12"),
    fault("kl", "kl_gaussian: the other way round", kl_of(lambda m, v, n, w: (n, w, m, v)), "3.6"),
)
