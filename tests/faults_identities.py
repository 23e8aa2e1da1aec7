"""What breaks the boxed equations of notebooks 03 to 05; most claims lie in test_identities_*.py.

Faults that other files already had name their equations there.
"""

import math
from dataclasses import replace

import torch

from fault_parts import mixing, mixing_t_third, noise, shaped, signal
from faults_exact import noised_with, of_result
from faults_losses import without_column
from planting import Fault


def with_arguments(wrong):
    """The right function, called with changed arguments."""
    return lambda original: lambda *args, **keywords: original(*wrong(*args), **keywords)


# Notebook 03


def log_sigma_left_out(original):
    """The exponent and the root of 2 pi, but not the width."""

    def gaussian_log_prob(x0, mean, sigma):
        return original(x0, mean, sigma) + torch.as_tensor(sigma).to(x0).log()

    return gaussian_log_prob


def variance_of_the_step(original):
    """beta_t, that of q(x_t | x_{t-1})."""
    return lambda x0, xt, t, s: (original(x0, xt, t, s)[0], shaped(s.beta[t], x0))


def roots_of_the_variances(model, x0, xt, t, s, variance, *rest):
    return model, x0, xt, t, s, variance.sqrt(), *rest


def lost_one_step_late(original):
    """SNR(t) - SNR(t+1) for SNR(t-1) - SNR(t)."""

    def vlb_term(model, x0, xt, t, s, variance, *rest, **keywords):
        right = original(model, x0, xt, t, s, variance, *rest, **keywords)
        fall = torch.cat([s.snr[:1], s.snr[:-1] - s.snr[1:]])
        late = fall[(t + 1).clamp(max=s.T)] / fall[t]
        return torch.where(t == 1, right, right * late.to(right))

    return vlb_term


# Notebook 04


def model_sees_the_step_before(original):
    def l_simple(model, x0, t, eps, s):
        return original(lambda x, t: model(x, (t - 1).clamp(min=1)), x0, t, eps, s)

    return l_simple


def alpha_bar_of_the_step_before(original):
    """1 - alpha_bar_{t-1}, which belongs to beta-tilde only."""

    def l_simple_weight(s, variance):
        rest = (1 - s.alpha_bar[1:]) / (1 - s.alpha_bar[:-1])
        return torch.cat([original(s, variance)[:1], original(s, variance)[1:] * rest])

    return l_simple_weight


def best_of_the_step_before(original):
    def eps_model(mixture, s):
        best = original(mixture, s)
        return lambda xt, t: best(xt, (t - 1).clamp(min=1))

    return eps_model


def not_divided(original):
    def x0_mean(mixture, xt, t, s):
        return shaped(signal(s, t), xt) * original(mixture, xt, t, s)

    return x0_mean


# Notebook 05


def alpha_bar_t_in_c0(original):
    """sqrt(alpha_bar_t) for sqrt(alpha_bar_{t-1})."""

    def best_variance(s, error):
        tilde = original(s, 0 * error)
        return tilde + s.alpha * (original(s, error) - tilde)

    return best_variance


def ddim_with(variance, direction=lambda then, variance: 1 - then - variance):
    """DDIM written out; `variance` takes (alpha_bar_t, alpha_bar_{t'}, eta)."""

    def replacement(original):
        def ddim_step(xt, eps_hat, t, t_next, s, eta, noise):
            now, then = s.alpha_bar[t], s.alpha_bar[t_next]
            sigma_squared = variance(now, then, eta)
            left = direction(then, sigma_squared).clamp(min=0).sqrt()
            x0_hat = (xt - shaped((1 - now).sqrt(), xt) * eps_hat) / shaped(now.sqrt(), xt)
            x = shaped(then.sqrt(), xt) * x0_hat + shaped(left, xt) * eps_hat
            return x if noise is None else x + shaped(sigma_squared.sqrt(), xt) * noise

        return ddim_step

    return replacement


def right_variance(now, then, eta):
    return eta**2 * (1 - then) / (1 - now) * (1 - now / then)


def one_step_of_another_schedule(now, then, eta):
    """1 - alpha_bar_t/alpha_bar_{t'} alone: beta_t for beta-tilde_t."""
    return (eta**2 * (1 - now / then)).minimum(1 - then)


def betas_added_up(original):
    """Jumps whose beta is the sum of the betas jumped over, as if signal did not shrink."""

    def ddpm_strided(model, xT, s, steps, *args, t=None, **keywords):
        from diffedu.diffusion import samplers
        from diffedu.diffusion.schedules import Schedule

        times = samplers.strided_times(t or s.T, steps)
        added = s.beta.cumsum(0)[times].diff().clamp(max=0.999)
        jumps = Schedule.from_beta(added)
        states = original(lambda x, k: model(x, times[k]), xT, jumps, steps, *args, **keywords)
        return (replace(state, t=int(times[state.t])) for state in states)

    return ddpm_strided


def fault(room, name, replacement, files, *identities):
    target = f"diffedu.diffusion.{room}.{name.split(':')[0]}"
    return Fault(name, target, replacement, tuple(f"tests/{f}.py" for f in files), identities)


BOUND, SIMPLE = "test_identities_bound", "test_identities_simple"
SCORE, SAMPLING = "test_identities_score", "test_identities_sampling"

FAULTS = (
    fault("decoder", "gaussian_log_prob: log sigma left out", log_sigma_left_out, (BOUND,), "3.1"),
    fault(
        "gaussian",
        "q_step: roots exchanged",
        mixing(lambda s, t: s.beta[t].sqrt(), lambda s, t: s.alpha[t].sqrt()),
        (BOUND, SAMPLING),
        *("3.1", "3.3", "3.4", "5.2", "5.8"),
    ),
    fault(
        "gaussian",
        "q_sample: the noise of one step",
        mixing(signal, lambda s, t: s.beta[t].sqrt()),
        (BOUND, SIMPLE, SCORE, SAMPLING),
        *("3.3", "3.4", "4.3", "4.6", "4.9", "4.12", "5.6"),
    ),
    fault("gaussian", "posterior: variance beta_t", variance_of_the_step, (BOUND,), "3.3", "3.4"),
    fault(
        "losses",
        "vlb_term: standard deviations for variances",
        with_arguments(roots_of_the_variances),
        (BOUND,),
        *("3.2", "3.8"),
    ),
    fault("losses", "vlb: L_1 left out", without_column(1), ("test_bound", BOUND), "3.2", "3.5"),
    fault("losses", "vlb_term: SNR lost one step late", lost_one_step_late, (BOUND,), "3.8", "3.9"),
    fault(
        "losses",
        "l_simple: the model sees t - 1",
        model_sees_the_step_before,
        ("test_losses",),
        "4.3",
    ),
    fault(
        "losses",
        "l_simple_weight: alpha_bar_{t-1} for alpha_bar_t",
        alpha_bar_of_the_step_before,
        (SIMPLE,),
        "4.2",
    ),
    fault(
        "gaussian",
        "v_from_x0_eps: roots left out",
        mixing_t_third(lambda s, t: -(noise(s, t) ** 2), lambda s, t: s.alpha_bar[t]),
        ("test_predictions", SIMPLE),
        *("4.4", "4.5", "4.6"),
    ),
    fault(
        "exact",
        "eps_model: of the step before",
        best_of_the_step_before,
        (SIMPLE, SCORE),
        *("4.7", "4.8", "4.10"),
    ),
    fault(
        "exact",
        "x0_variance: a standard deviation",
        of_result(torch.sqrt),
        (SIMPLE, SCORE),
        *("4.8", "4.12"),
    ),
    fault(
        "exact",
        "noised: sigma is a variance",
        noised_with(lambda m, a: {"sigma": a * m.sigma**2 + 1 - a}),
        (SCORE,),
        *("4.9", "4.10", "4.11", "4.12"),
    ),
    fault("exact", "x0_mean: not divided by the signal", not_divided, (SCORE,), "4.10", "4.11"),
    fault(
        "exact_bound", "best_variance: alpha_bar_t in c_0", alpha_bar_t_in_c0, (SAMPLING,), "5.2"
    ),
    fault(
        "samplers",
        "ddim_step: eta not squared",
        ddim_with(lambda now, then, eta: right_variance(now, then, math.sqrt(eta))),
        (SAMPLING,),
        "5.5",
    ),
    fault(
        "samplers",
        "ddim_step: beta for beta-tilde",
        ddim_with(one_step_of_another_schedule),
        ("test_samplers", SAMPLING),
        *("5.5", "5.7"),
    ),
    fault(
        "samplers",
        "ddim_step: standard deviations subtracted",
        ddim_with(right_variance, lambda then, v: ((1 - then).sqrt() - v.sqrt()) ** 2),
        ("test_samplers_diffusers", SAMPLING),
        *("5.4", "5.6", "5.7"),
    ),
    fault("samplers", "ddpm_strided: betas added up", betas_added_up, (SAMPLING,), "5.8"),
)
