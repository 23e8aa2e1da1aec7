"""What goes wrong on the way back: the posterior, its variances, the reverse mean, the denoiser."""

from dataclasses import replace

import torch

from fault_parts import fault, mixing_t_third, noise, one, over, shaped, signal

EVERY_STEP = ("2.1", "2.2", "2.3", "2.6", "2.14")  # what any wrong posterior breaks
EXACT = {"module": "diffedu.diffusion.exact"}


# The posterior


def coef_x0(s, t):
    return s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])


def coef_xt(s, t):
    return s.alpha[t].sqrt() * (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])


def posterior_mean(c0, ct):
    def replacement(original):
        def posterior(x0, xt, t, s):
            _, variance = original(x0, xt, t, s)
            return shaped(c0(s, t), x0) * x0 + shaped(ct(s, t), x0) * xt, variance

        return posterior

    return replacement


def alpha_bar_for_its_prev(s, t):
    return signal(s, t) * s.beta[t] / (1 - s.alpha_bar[t])


def posterior_variance_wrong(wrong):
    def replacement(original):
        def posterior(x0, xt, t, s):
            mean, variance = original(x0, xt, t, s)
            return mean, wrong(variance, shaped(s.beta[t], x0))

        return posterior

    return replacement


def one_step_late(original):
    return lambda x0, xt, t, s: original(x0, xt, (t + 1).clamp(max=s.T), s)


def rolled(s):
    """alpha_bar_{t-1} by roll(): at t = 1 it is alpha_bar_T."""
    before = s.alpha_bar[1:].roll(1)
    return torch.cat([s.beta[:1], (1 - before) / (1 - s.alpha_bar[1:]) * s.beta[1:]])


# The denoiser of a finite data set


def denoising(weight):
    """x0_mean of a finite data set with other weights; `weight` takes (x_t, data, alpha_bar)."""

    def replacement(original):
        def x0_mean(mixture, xt, t, s):
            if (mixture.sigma > 0).any():
                return original(mixture, xt, t, s)
            alpha_bar = s.alpha_bar[t][:, None]
            return weight(xt, mixture.mean, alpha_bar) @ mixture.mean

        return x0_mean

    return replacement


def nearest_item(xt, data, alpha_bar):
    return torch.nn.functional.one_hot(torch.cdist(xt, data).argmin(1), len(data)).double()


def unscaled_items(xt, data, alpha_bar):
    return (-(torch.cdist(xt, data) ** 2) / (2 * (1 - alpha_bar))).softmax(1)


def sigma_for_variance(xt, data, alpha_bar):
    distance = torch.cdist(xt / alpha_bar.sqrt(), data) ** 2 * alpha_bar
    return (-distance / (2 * (1 - alpha_bar).sqrt())).softmax(1)


def posterior_fault(name, replacement, *identities):
    both = ("tests/test_posterior.py", "tests/test_reverse.py")
    return replace(fault("posterior", name, replacement, *identities), tests=both)


FAULTS = (
    posterior_fault(
        "posterior: coefficients swapped",
        posterior_mean(coef_xt, coef_x0),
        *(*EVERY_STEP, "2.5", "2.8", "2.9", "2.10", "2.11"),
    ),
    posterior_fault(
        "posterior: alpha_bar_t for alpha_bar_{t-1}",
        posterior_mean(alpha_bar_for_its_prev, coef_xt),
        *("2.1", "2.2", "2.3", "2.5", "2.6", "2.8", "2.9", "2.10", "2.11"),
    ),
    posterior_fault(
        "posterior: alpha for its root",
        posterior_mean(coef_x0, lambda s, t: coef_xt(s, t) * s.alpha[t].sqrt()),
        *("2.1", "2.2", "2.3", "2.5", "2.6", "2.8", "2.9"),
    ),
    posterior_fault(
        "posterior: a standard deviation",
        posterior_variance_wrong(lambda variance, beta: variance.sqrt()),
        *("2.1", "2.2", "2.3", "2.4", "2.6", "2.7", "2.11"),
    ),
    posterior_fault(
        "posterior: never without noise",
        posterior_variance_wrong(lambda variance, beta: variance.where(variance > 0, beta)),
        "2.10",
    ),
    posterior_fault("posterior: one step late", one_step_late, *EVERY_STEP, "2.4", "2.7", "2.9"),
    posterior_fault(
        "fixed_small: beta_t instead",
        lambda original: lambda s: s.beta.clone(),
        *("2.1", "2.2", "2.3", "2.4", "2.6", "2.7", "2.10", "2.11"),
    ),
    posterior_fault(
        "fixed_small: 1 - alpha_bar_{t-1}",
        lambda original: lambda s: 1 - torch.cat([s.alpha_bar[:1], s.alpha_bar[:-1]]),
        *("2.1", "2.4", "2.6", "2.7"),
    ),
    posterior_fault("fixed_small: alpha_bar_{t-1} by roll()", lambda original: rolled, "2.10"),
    posterior_fault(
        "posterior_variance: its root",
        lambda original: lambda t, s: original(t, s).sqrt(),
        "2.7",
    ),
    fault("predictions", "fixed_large: 1 - alpha_bar", lambda original: lambda s: 1 - s.alpha_bar),
    fault(
        "predictions", "fixed_large: the schedule's own array", lambda original: lambda s: s.beta
    ),
    fault(
        "predictions",
        "reverse_mean: root of beta",
        mixing_t_third(
            lambda s, t: s.alpha[t].rsqrt(),
            lambda s, t: -s.beta[t].sqrt() / noise(s, t) * s.alpha[t].rsqrt(),
        ),
        "2.13",
    ),
    fault(
        "predictions",
        "reverse_mean: 1/sqrt(alpha_bar)",
        mixing_t_third(over(one, signal), lambda s, t: -s.beta[t] / noise(s, t) / signal(s, t)),
        "2.13",
    ),
    fault(
        "predictions",
        "reverse_mean: not divided",
        mixing_t_third(one, lambda s, t: -s.beta[t] / noise(s, t)),
        "2.13",
    ),
    fault(
        "predictions",
        "reverse_mean: sign",
        lambda original: lambda xt, eps_hat, t, s: original(xt, -eps_hat, t, s),
        "2.13",
    ),
    fault("reverse", "x0_mean: nearest item", denoising(nearest_item), "0.1", **EXACT),
    fault("reverse", "x0_mean: items not shrunk", denoising(unscaled_items), "0.1", **EXACT),
    fault("reverse", "x0_mean: sigma for variance", denoising(sigma_for_variance), "0.1", **EXACT),
)
