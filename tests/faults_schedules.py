"""What goes wrong in diffedu/diffusion/schedules.py."""

from dataclasses import replace

import torch

from planting import Fault

HERE = "diffedu.diffusion.schedules"
TESTS = ("tests/test_schedules.py",)


def alpha_bar_without_the_last_factor(original):
    def from_beta(cls, beta_1_to_T):
        s = original(cls, beta_1_to_T)
        shifted = torch.cat([torch.ones(1).double(), s.alpha_bar[:-1]])
        return replace(s, alpha_bar=shifted)

    return from_beta


def endpoints_not_rescaled(original):
    from diffedu.diffusion.schedules import Schedule

    def linear(T, beta_1=1e-4, beta_T=0.02):
        return Schedule.from_beta(torch.linspace(beta_1, beta_T, T, dtype=torch.float64))

    return linear


def no_square(original):
    from diffedu.diffusion.schedules import Schedule

    def cosine(T, s=0.008):
        time = torch.linspace(0, 1, T + 1, dtype=torch.float64)
        curve = torch.cos((time + s) / (1 + s) * torch.pi / 2)
        return Schedule.from_beta((1 - curve[1:] / curve[:-1]).clamp(max=0.999))

    return cosine


FAULTS = (
    Fault(
        "from_beta: alpha_bar one step late",
        f"{HERE}.Schedule.from_beta",
        alpha_bar_without_the_last_factor,
        TESTS,
    ),
    Fault("linear: endpoints not rescaled", f"{HERE}.linear", endpoints_not_rescaled, TESTS),
    Fault("cosine: not squared", f"{HERE}.cosine", no_square, TESTS),
)
