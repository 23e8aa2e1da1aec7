"""What goes wrong in exact_bound.py and ode.py: the bound without sampling, the way upwards."""

import math
from dataclasses import replace
from itertools import pairwise

import torch

from planting import Fault

BOUND = "diffedu.diffusion.exact_bound"
ODE = "diffedu.diffusion.ode"
BOUND_TESTS = ("tests/test_exact_bound.py", "tests/test_bound_limits.py")


def of_result(wrong):
    """The right function, whose result is spoilt afterwards."""
    return lambda original: lambda *args, **keywords: wrong(original(*args, **keywords))


def of_another_mixture(wrong):
    """The right function, asked about the wrong mixture."""

    def replacement(original):
        return lambda mixture, *args, **keywords: original(wrong(mixture), *args, **keywords)

    return replacement


def equally_likely(mixture):
    return replace(mixture, weight=torch.full_like(mixture.weight, 1 / len(mixture.weight)))


def one_gaussian(mixture):
    """The Gaussian with the same mean and variance."""
    mean = mixture.weight @ mixture.mean
    variance = mixture.weight @ ((mixture.mean - mean)[:, 0] ** 2 + mixture.sigma**2)
    return replace(
        mixture, weight=mixture.weight[:1] * 0 + 1, mean=mean[None], sigma=variance.sqrt()[None]
    )


def times_snr(original):
    """The error in eps."""

    def unavoidable_error(mixture, s, *points, **keywords):
        error = original(mixture, s, *points, **keywords)
        return torch.cat([error[:1], (s.snr * error)[1:]])

    return unavoidable_error


def variance_from(formula):
    """best_variance from s, the arrays of t = 1..T and those of the step before."""

    def replacement(original):
        def best_variance(s, error):
            now, before, beta = s.alpha_bar[1:], s.alpha_bar[:-1], s.beta[1:]
            tilde = (1 - before) / (1 - now) * beta
            return torch.cat([error[:1] * 0, formula(now, before, beta, tilde, error[1:])])

        return best_variance

    return replacement


def c0(alpha_bar, now, beta):
    return alpha_bar.sqrt() * beta / (1 - now)


def root_forgotten(now, before, beta, tilde, error):
    return tilde + (before * beta / (1 - now)) ** 2 * error


def not_squared(now, before, beta, tilde, error):
    return tilde + c0(before, now, beta) * error


def of_the_same_step(now, before, beta, tilde, error):
    return tilde + c0(now, now, beta) ** 2 * error


def without_beta_tilde(now, before, beta, tilde, error):
    return c0(before, now, beta) ** 2 * error


def with_beta(now, before, beta, tilde, error):
    return beta + c0(before, now, beta) ** 2 * error


def middle_terms(formula):
    """bound_terms with another formula for t >= 2 from sigma_t^2, the best, beta-tilde and beta."""

    def replacement(original):
        def bound_terms(mixture, s, variance, error, variance_1=None):
            from diffedu.diffusion.exact_bound import best_variance

            terms = original(mixture, s, variance, error, variance_1).clone()
            before, now, beta = s.alpha_bar[1:-1], s.alpha_bar[2:], s.beta[2:]
            tilde = (1 - before) / (1 - now) * beta
            best = best_variance(s, error)[2:]
            terms[1:-1] = formula(variance[2:], best, tilde, beta)
            return terms

        return bound_terms

    return replacement


def upside_down(variance, best, tilde, beta):
    return (variance / best - 1 + (tilde / variance).log()) / 2


def without_the_half(variance, best, tilde, beta):
    return best / variance - 1 + (variance / tilde).log()


def beta_in_the_logarithm(variance, best, tilde, beta):
    return (best / variance - 1 + (variance / beta).log()) / 2


def known_x0(variance, best, tilde, beta):
    return (tilde / variance - 1 + (variance / tilde).log()) / 2


def always_beta_tilde_2(original):
    """L_0 without an ear for variance_1, where there is a beta-tilde_2."""

    def bound_terms(mixture, s, variance, error, variance_1=None):
        return original(mixture, s, variance, error, variance_1 if s.T == 1 else None)

    return bound_terms


def euler(u=lambda a: ((1 - a) / a).sqrt(), scale=torch.sqrt, stride=lambda du: du):
    """ode_step written out in y and u, with a wrong part."""

    def replacement(original):
        def ode_step(xt, eps_hat, t, t_next, s):
            shape = (-1, *[1] * (xt.ndim - 1))
            now, after = (s.alpha_bar[k].view(shape) for k in (t, t_next))
            moved = xt / scale(now) + stride(u(after) - u(now)) * eps_hat
            return (scale(after) * moved).to(xt)

        return ode_step

    return replacement


def exchanged(original):
    return lambda xt, eps_hat, t, t_next, s: original(xt, eps_hat, t_next, t, s)


def along(ask, first=0):
    """encode as a loop; `ask` says which t the model is told, `first` where the way begins."""

    def replacement(original):
        from diffedu.diffusion.ode import ode_step
        from diffedu.diffusion.samplers import State, strided_times

        def encode(model, x0, s, steps=50):
            times, x, x0_hat = [first, *strided_times(s.T, steps).tolist()[1:]], x0, x0
            for now, after in pairwise(times):
                t, t_next = (torch.full((len(x),), k) for k in (now, after))
                eps_hat = model(x, ask(t, t_next).clamp(min=1))
                if now > 0:
                    a = s.alpha_bar[now]
                    x0_hat = ((x - (1 - a).sqrt() * eps_hat) / a.sqrt()).to(x)
                yield State(now, x, x0_hat, eps_hat)
                x = ode_step(x, eps_hat, t, t_next, s)
            yield State(s.T, x, x0_hat, None)

        return encode

    return replacement


def draws_noise(original):
    """Noised by q_sample instead of encoded."""

    def encode(model, x0, s, steps=50):
        g = torch.Generator().manual_seed(0)
        eps = torch.randn(x0.shape, generator=g, dtype=x0.dtype)
        for state in original(model, x0, s, steps):
            a = s.alpha_bar[state.t]
            yield replace(state, xt=(a.sqrt() * x0 + (1 - a).sqrt() * eps).to(x0))

    return encode


def without_the_last_state(original):
    return lambda *args, **keywords: iter([*original(*args, **keywords)][:-1])


def fault(name, replacement, *identities, module=BOUND, files=BOUND_TESTS):
    return Fault(name, f"{module}.{name.split(':')[0]}", replacement, files, identities)


def ode_fault(name, replacement, *identities):
    return fault(name, replacement, *identities, module=ODE, files=("tests/test_ode.py",))


FAULTS = (
    fault("negative_log_likelihood: in bits", of_result(lambda nats: nats / math.log(2))),
    fault("negative_log_likelihood: components equally likely", of_another_mixture(equally_likely)),
    fault("unavoidable_error: a standard deviation", of_result(torch.sqrt), "3.12"),
    fault("unavoidable_error: of eps", times_snr, "3.12"),
    fault("unavoidable_error: of one Gaussian", of_another_mixture(one_gaussian), "3.12", "3.13"),
    fault("unavoidable_error: one step late", of_result(lambda error: error.roll(1)), "3.12"),
    fault("best_variance: root forgotten", variance_from(root_forgotten), "3.13"),
    fault("best_variance: c_0 not squared", variance_from(not_squared), "3.13", "3.14"),
    fault("best_variance: alpha_bar of the same step", variance_from(of_the_same_step), "3.13"),
    fault("best_variance: without beta-tilde", variance_from(without_beta_tilde), "3.13", "3.14"),
    fault("best_variance: on top of beta", variance_from(with_beta), "3.13", "3.14"),
    fault("bound_terms: ratio upside down", middle_terms(upside_down), "3.12", "3.14"),
    fault("bound_terms: without the half", middle_terms(without_the_half), "3.12", "3.14"),
    fault("bound_terms: beta in the logarithm", middle_terms(beta_in_the_logarithm), "3.12"),
    fault("bound_terms: as if x_0 were known", middle_terms(known_x0), "3.12", "3.14"),
    fault("bound_terms: variance_1 forgotten", always_beta_tilde_2, "3.12"),
    fault("bound_terms: L_T in front", of_result(lambda terms: terms.roll(1)), "3.12"),
    fault("_prior: components equally likely", of_another_mixture(equally_likely)),
    fault(
        "_prior: the mean left out",
        of_another_mixture(lambda mixture: replace(mixture, mean=0 * mixture.mean)),
    ),
    ode_fault("ode_step: u without its root", euler(u=lambda a: (1 - a) / a), "5.9"),
    ode_fault("ode_step: u not divided by alpha_bar", euler(u=lambda a: (1 - a).sqrt()), "5.9"),
    ode_fault("ode_step: alpha_bar for its root", euler(scale=lambda a: a), "5.9"),
    ode_fault("ode_step: downwards only", euler(stride=lambda du: -du.abs()), "5.9", "5.10"),
    ode_fault("ode_step: there for back", exchanged, "5.9", "5.10"),
    ode_fault("encode: asks where it goes", along(lambda t, t_next: t_next)),
    ode_fault("encode: takes the data for x_1", along(lambda t, t_next: t, first=1)),
    ode_fault("encode: draws noise", draws_noise, "5.10"),
    ode_fault("encode: stops before T", without_the_last_state),
)
