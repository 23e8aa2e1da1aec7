"""What goes wrong in the arrays behind the explorers of the way back."""

import math
from dataclasses import replace

import torch

from planting import Fault

VIEWS = "diffedu.classroom.views"


def beta_at_t_1_too(original):
    def bound_view(mixture, s):
        view = original(mixture, s)
        return replace(view, terms={**view.terms, "beta": view.terms["beta, also at t = 1"]})

    return bound_view


def likelihood_in_bits(original):
    def bound_view(mixture, s):
        view = original(mixture, s)
        return replace(view, nll=view.nll / math.log(2))

    return bound_view


def without_the_prior(original):
    return lambda self, choice: self.terms[choice][:-1].sum().item() - self.nll


def of_every_view(change):
    """trajectory_views with each view changed."""

    def replacement(original):
        def trajectory_views(mixture, xT, s):
            return {name: change(view) for name, view in original(mixture, xT, s).items()}

        return trajectory_views

    return replacement


def counted_from_the_noise(view):
    return replace(view, xt=view.xt.flip(0), x0_hat=view.x0_hat.flip(0))


def predicted_one_step_late(view):
    return replace(view, x0_hat=torch.cat([view.x0_hat[:1], view.x0_hat[:-1]]))


def beta_tilde_twice(original):
    def trajectory_views(mixture, xT, s):
        views = original(mixture, xT, s)
        return {**views, "DDPM, beta": views["DDPM, beta-tilde"]}

    return trajectory_views


def noise_of_its_own(original):
    """Each sampler starts elsewhere."""

    def trajectory_views(mixture, xT, s):
        views = original(mixture, xT, s)
        return {**views, "DDIM, eta = 0": original(mixture, -xT, s)["DDIM, eta = 0"]}

    return trajectory_views


def fault(name, replacement):
    target = f"{VIEWS}.{name.split(':')[0]}"
    return Fault(name, target, replacement, ("tests/test_views_reverse.py",))


FAULTS = (
    fault("bound_view: beta at t = 1 too", beta_at_t_1_too),
    fault("bound_view: likelihood in bits", likelihood_in_bits),
    fault("BoundView.gap: without the prior", without_the_prior),
    fault("trajectory_views: flipped", of_every_view(counted_from_the_noise)),
    fault("trajectory_views: predicted late", of_every_view(predicted_one_step_late)),
    fault("trajectory_views: beta-tilde twice", beta_tilde_twice),
    fault("trajectory_views: noise of its own", noise_of_its_own),
)
