"""What goes wrong in exact.py: mixtures, ideal denoisers, the exact moments of a chain."""

import math
from dataclasses import replace

import torch

from planting import Fault

HERE = "diffedu.diffusion.exact"


def of_result(wrong):
    """The right function, whose result is spoilt afterwards."""
    return lambda original: lambda *args, **keywords: wrong(original(*args, **keywords))


def of_another_mixture(wrong):
    """The right function, asked about the wrong mixture."""
    return lambda original: lambda mixture, *args: original(wrong(mixture), *args)


def equally_likely(mixture):
    return replace(mixture, weight=torch.full_like(mixture.weight, 1 / len(mixture.weight)))


def sigma_squared(mixture):
    return replace(mixture, sigma=mixture.sigma**2)


def noised_with(change):
    """The marginal at t with a wrong part; `change` takes the clean mixture and alpha_bar_t."""

    def replacement(original):
        def noised(mixture, t, s):
            return replace(original(mixture, t, s), **change(mixture, s.alpha_bar[t]))

        return noised

    return replacement


def norm_of_one_dimension(original):
    def log_density(mixture, x):
        parts = torch.distributions.Normal(mixture.mean, mixture.sigma[:, None])
        log_parts = parts.log_prob(x.double()[:, None]).sum(-1)
        missing = (x.shape[1] - 1) * (mixture.sigma.log() + math.log(2 * math.pi) / 2)
        return (log_parts + missing + mixture.weight.log()).logsumexp(1).to(x)

    return log_density


def posterior_weights(axis=1, dims=None):
    """Normalised over `axis`, with the norm of a density in `dims` dimensions."""

    def replacement(original):
        def _responsibility(mixture, xt, t, s):
            _, gain, variance = original(mixture, xt, t, s)
            centres = s.alpha_bar[t].sqrt()[:, None, None] * mixture.mean
            square = ((xt.double()[:, None] - centres) ** 2).sum(-1)
            n = xt.shape[1] if dims is None else dims
            log_weight = mixture.weight.log() - (square / variance + n * variance.log()) / 2
            return log_weight.softmax(axis), gain, variance

        return _responsibility

    return replacement


def only_the_centres(original):
    """x0_mean without the pull towards x_t: as if every component were a point."""

    def x0_mean(mixture, xt, t, s):
        from diffedu.diffusion.exact import _responsibility

        return (_responsibility(mixture, xt, t, s)[0] @ mixture.mean).to(xt)

    return x0_mean


def within_the_components_only(original):
    def x0_variance(mixture, xt, t, s):
        from diffedu.diffusion.exact import _responsibility

        weight, _, variance = _responsibility(mixture, xt, t, s)
        within = mixture.sigma**2 * (1 - s.alpha_bar[t][:, None]) / variance
        return (xt.shape[1] * weight * within).sum(1).to(xt)

    return x0_variance


def predicts_x0(original):
    def eps_model(mixture, s):
        from diffedu.diffusion.exact import x0_mean

        def model(xt, t):
            return x0_mean(mixture, xt.flatten(1), t, s).view_as(xt)

        return model

    return eps_model


def chain(offset=1.0, add=lambda a, b: a**2 + b**2):
    """The recursion written out, with a wrong part."""

    def replacement(original):
        def chain_moments(steps, mean=0.0, sigma=1.0):
            x, z = torch.tensor([[0, 1, 0], [0, 0, 1]], dtype=torch.float64)
            for step in steps:
                shift, at_one, at_noise = step(x, z).tolist()
                mean = (at_one - shift) * mean + offset * shift
                sigma = math.sqrt(add((at_one - shift) * sigma, at_noise - shift))
            return mean, sigma

        return chain_moments

    return replacement


def fault(name, replacement, *identities, file="test_exact"):
    function = name.split(":")[0]
    return Fault(name, f"{HERE}.{function}", replacement, (f"tests/{file}.py",), identities)


FAULTS = (
    fault("gaussian: sigma is a variance", of_result(sigma_squared)),
    fault("points: with a width", of_result(lambda m: replace(m, sigma=torch.ones_like(m.sigma)))),
    fault("sample: variance for std", of_another_mixture(sigma_squared)),
    fault("sample: components equally likely", of_another_mixture(equally_likely)),
    fault(
        "noised: width not shrunk",
        noised_with(lambda m, alpha_bar: {"sigma": (m.sigma**2 + 1 - alpha_bar).sqrt()}),
    ),
    fault(
        "noised: mean shrunk by alpha_bar",
        noised_with(lambda m, alpha_bar: {"mean": alpha_bar * m.mean}),
    ),
    fault("log_density: norm of one dimension", norm_of_one_dimension),
    fault("log_density: components equally likely", of_another_mixture(equally_likely)),
    fault("x0_mean: only the centres", only_the_centres),
    fault("x0_variance: within the components only", within_the_components_only),
    fault("x0_variance: averaged over the dimensions", of_result(lambda variance: variance / 2)),
    fault("eps_model: predicts x0", predicts_x0),
    fault("_responsibility: softmax over the batch", posterior_weights(axis=0)),
    fault("_responsibility: norm of one dimension", posterior_weights(dims=1)),
    fault("chain_moments: offset forgotten", chain(offset=0.0), "5.3", file="test_exact_chain"),
    fault(
        "chain_moments: standard deviations added",
        chain(add=lambda a, b: (abs(a) + abs(b)) ** 2),
        "5.3",
        file="test_exact_chain",
    ),
)
