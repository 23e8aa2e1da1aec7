"""Pieces that planted faults are made of: formulas with coefficients to get wrong."""

import torch

from planting import Fault

GAUSSIAN = "diffedu.diffusion.gaussian"


def shaped(values, x):
    """(B,) so that it multiplies whole samples."""
    return values.to(x).view(-1, *[1] * (x.ndim - 1))


def mixing(a, b):
    """A function (x, t, y, s) that returns a x + b y with these coefficients of (s, t)."""

    def replacement(original):
        return lambda x, t, y, s: shaped(a(s, t), x) * x + shaped(b(s, t), x) * y

    return replacement


def mixing_t_third(a, b):
    """The same for the functions that take (x, y, t, s)."""

    def replacement(original):
        return lambda x, y, t, s: shaped(a(s, t), x) * x + shaped(b(s, t), x) * y

    return replacement


def signal(s, t):
    return s.alpha_bar[t].sqrt()


def noise(s, t):
    return (1 - s.alpha_bar[t]).sqrt()


def one(s, t):
    return torch.ones_like(s.beta[t])


def minus(f):
    return lambda s, t: -f(s, t)


def over(f, g):
    return lambda s, t: f(s, t) / g(s, t)


def fault(file, name, replacement, *identities, module=GAUSSIAN):
    target = f"{module}.{name.split(':')[0]}"
    return Fault(name, target, replacement, (f"tests/test_{file}.py",), identities)
