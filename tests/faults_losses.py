"""What goes wrong in losses.py: the simple loss, the bound and its terms."""

import math

import torch

from faults_forward import shaped
from planting import Fault

HERE = "diffedu.diffusion.losses"


def of_result(wrong):
    """The right function, whose result is spoilt afterwards."""
    return lambda original: lambda *args, **kwargs: wrong(original(*args, **kwargs))


def target_is_x0(original):
    def l_simple(model, x0, t, eps, s):
        from diffedu.diffusion.gaussian import q_sample

        return ((x0 - model(q_sample(x0, t, eps, s), t)) ** 2).flatten(1).mean(1)

    return l_simple


def weight(numerator, denominator):
    def replacement(original):
        def l_simple_weight(s, variance):
            right = original(s, variance)
            return torch.cat([right[:1], (right * numerator(s) / denominator(s))[1:]])

        return l_simple_weight

    return replacement


def kl_swapped(original):
    def vlb_term(model, x0, xt, t, s, variance, *decoder_and_variance_1, **keywords):
        from diffedu.diffusion import gaussian

        right = original(model, x0, xt, t, s, variance, *decoder_and_variance_1, **keywords)
        mean_q, variance_q = gaussian.posterior(x0, xt, t, s)
        mean_p = gaussian.reverse_mean(xt, model(xt, t), t, s)
        variance_p = shaped(variance[t], x0)
        gap = (mean_q - mean_p) ** 2
        ratio = variance_p / variance_q.clamp(min=1e-300)
        swapped = (ratio - 1 - ratio.log() + gap / variance_q.clamp(min=1e-300)) / 2
        return torch.where(t == 1, right, swapped.flatten(1).sum(1))

    return vlb_term


def decoder_gets(wrong_sigma):
    """The decoder of the last step, with another number for its standard deviation."""

    def replacement(original):
        def vlb_term(model, x0, xt, t, s, variance, decoder=None, variance_1=None):
            from diffedu.diffusion.gaussian import decoder_log_prob

            right = decoder or decoder_log_prob

            def wrong(x0, mean, sigma):
                return right(x0, mean, wrong_sigma(sigma))

            return original(model, x0, xt, t, s, variance, wrong, variance_1)

        return vlb_term

    return replacement


def beta_1_for_beta_tilde_2(original):
    return lambda s, variance_1=None: variance_1 or s.beta[1].item()


def without_column(k):
    def wrong(terms):
        terms = terms.clone()
        terms[:, k] = 0
        return terms

    return of_result(wrong)


COLUMNS = "tests/test_bound.py::test_column_k_is_the_term_k_of_the_bound"
GAP = "tests/test_bound.py::test_the_bound_exceeds_the_exact_likelihood_by_the_gap"


def fault(name, replacement, *identities, test="tests/test_losses.py"):
    function = name.split(":")[0]
    return Fault(name, f"{HERE}.{function}", replacement, (test,), identities)


FAULTS = (
    fault("l_simple: summed", of_result(lambda loss: 24 * loss), "4.3"),
    fault(
        "l_simple: one number for all",
        of_result(lambda loss: loss.mean().expand(len(loss))),
    ),
    fault("l_simple: target x0", target_is_x0, "4.3"),
    fault(
        "l_simple_weight: beta for beta squared",
        weight(lambda s: 1, lambda s: s.beta),
        *("4.1", "4.2"),
    ),
    fault(
        "l_simple_weight: alpha_bar for alpha",
        weight(lambda s: s.alpha, lambda s: s.alpha_bar),
        *("4.1", "4.2"),
    ),
    fault("l_simple_weight: no half", of_result(lambda right: 2 * right), "4.1", "4.2"),
    fault("prior_term: zero", of_result(torch.zeros_like), "3.7"),
    fault("prior_term: averaged", of_result(lambda kl: kl / 2), "3.7"),
    fault("vlb_term: KL the other way round", kl_swapped, "4.1"),
    fault(
        "vlb_term: variance for sigma in the decoder",
        decoder_gets(lambda sigma: sigma**2),
    ),
    fault("vlb_term: averaged", of_result(lambda term: term / 24)),
    fault("vlb: columns reversed", of_result(lambda terms: terms.flip(1)), "3.5", test=COLUMNS),
    fault("vlb: no prior term", without_column(-1), "3.5", test=COLUMNS),
    fault("vlb: no L_0", without_column(0), test=GAP),
    fault("bits_per_dim: nats", of_result(lambda bits: bits * math.log(2)), "3.11"),
    fault(
        "bits_per_dim: bits of the whole",
        lambda original: lambda nats, dims: original(nats, 1),
        "3.11",
    ),
    fault("decoder_variance: beta_1", beta_1_for_beta_tilde_2),
    fault("decoder_variance: a standard deviation", of_result(math.sqrt)),
)
