"""What goes wrong on the way from data to noise: schedules, q_step, q_sample, draw_t."""

import math
from dataclasses import replace

import torch

from fault_parts import fault, mixing, shaped
from planting import Fault

SCHEDULES = "diffedu.diffusion.schedules"
FROM_BETA = "Schedule.from_beta"


def line(n, first, last):
    return torch.linspace(first, last, n, dtype=torch.float64)


def array(name, wrong):
    """Schedules whose array `name` is `wrong(right schedule)` from t = 1 on."""

    def replacement(original):
        def from_beta(cls, beta_1_to_T):
            s = original(cls, beta_1_to_T)
            right = getattr(s, name)
            return replace(s, **{name: torch.cat([right[:1], wrong(s)[1:]])})

        return from_beta

    return replacement


def betas(wrong):
    """A named schedule with betas of its own; `wrong` takes the schedule's arguments."""

    def replacement(original):
        from diffedu.diffusion.schedules import Schedule

        return lambda *args: Schedule.from_beta(wrong(*args))

    return replacement


def of_curve(curve, most=0.999):
    return (1 - curve[1:] / curve[:-1]).clamp(max=most)


def cosine_curve(T, s):
    return torch.cos((line(T + 1, 0, 1) + s) / (1 + s) * math.pi / 2)


def cosine_of_t_only(T, s=0.008):
    """The offset s forgotten."""
    return of_curve(cosine_curve(T, 0) ** 2)


def sigmoid_curve(T, start=-3.0, end=3.0, tau=1.0, power=1):
    z = line(T + 1, start, end) / tau**power
    return torch.sigmoid(z[-1]) - torch.sigmoid(z)


def along_the_last_axis(original):
    """The bare (B,) where the width happens to be B; right elsewhere."""

    def q_sample(x0, t, eps, s):
        if x0.shape[-1] != len(t):
            return original(x0, t, eps, s)
        alpha_bar = s.alpha_bar[t].to(x0)
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps

    return q_sample


def rounded_first(original):
    """1 - alpha_bar in the dtype of the data."""

    def q_sample(x0, t, eps, s):
        alpha_bar = shaped(s.alpha_bar[t], x0)
        return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps

    return q_sample


def drawing(low, high):
    """t from low to T + high, both included."""

    def replacement(original):
        def draw_t(batch_size, s, generator):
            return torch.randint(low, s.T + high + 1, (batch_size,), generator=generator)

        return draw_t

    return replacement


def one_t_for_all(original):
    return lambda batch_size, s, generator: original(1, s, generator).repeat(batch_size)


def counting_the_clean_data(original):
    return lambda s: len(s.beta)


def schedule(name, replacement, *identities):
    target = f"{SCHEDULES}.{name.split(':')[0]}"
    return Fault(name, target, replacement, ("tests/test_schedules.py",), identities)


def noising(name, replacement, *identities):
    return fault("gaussian", name, replacement, *identities)


FAULTS = (
    schedule("Schedule.T: clean data counted", counting_the_clean_data),
    schedule(f"{FROM_BETA}: alpha for alpha_bar", array("alpha_bar", lambda s: s.alpha), "1.4"),
    schedule(
        f"{FROM_BETA}: a factor missing", array("alpha_bar", lambda s: s.alpha_bar.roll(1)), "1.4"
    ),
    schedule(
        f"{FROM_BETA}: alpha_bar from a sum of betas",
        array("alpha_bar", lambda s: (-s.beta.cumsum(0)).exp()),
        "1.4",
    ),
    schedule(
        f"{FROM_BETA}: snr of standard deviations", array("snr", lambda s: s.snr.sqrt()), "1.6"
    ),
    schedule(f"{FROM_BETA}: snr of alpha", array("snr", lambda s: s.alpha / s.beta), "1.6"),
    schedule(
        "linear: endpoints unscaled",
        betas(lambda T, first=1e-4, last=0.02: line(T, first, last)),
        "1.7",
    ),
    schedule(
        "linear: from t = 0",
        betas(lambda T, first=1e-4, last=0.02: line(T + 1, first, last)[1:] * 1000 / T),
        "1.7",
    ),
    schedule(
        "scaled_linear: square of the line of betas",
        betas(lambda T, first=1e-4, last=0.02: (line(T, first, last) * 1000 / T) ** 2),
        "1.8",
    ),
    schedule(
        "scaled_linear: endpoints unscaled",
        betas(lambda T, first=1e-4, last=0.02: line(T, first**0.5, last**0.5) ** 2),
        "1.8",
    ),
    schedule(
        "cosine: not clipped at .999",
        betas(lambda T, s=0.008: of_curve(cosine_curve(T, s) ** 2, most=1 - 1e-9)),
        "1.9",
    ),
    schedule("cosine: no square", betas(lambda T, s=0.008: of_curve(cosine_curve(T, s))), "1.9"),
    schedule("cosine: no offset", betas(cosine_of_t_only), "1.9"),
    schedule(
        "sigmoid: tau forgotten", betas(lambda *a: of_curve(sigmoid_curve(*a, power=0))), "1.10"
    ),
    schedule(
        "sigmoid: not clipped",
        betas(lambda *a: of_curve(sigmoid_curve(*a), most=1 - 1e-9)),
        "1.10",
    ),
    noising(
        "q_step: beta, not its root",
        mixing(lambda s, t: (1 - s.beta[t]).sqrt(), lambda s, t: s.beta[t]),
        *("1.1", "1.2", "1.3", "1.5", "1.11"),
    ),
    noising(
        "q_step: alpha for its root",
        mixing(lambda s, t: s.alpha[t], lambda s, t: s.beta[t].sqrt()),
        *("1.1", "1.2", "1.3", "1.11"),
    ),
    noising(
        "q_step: standard deviations add up to 1",
        mixing(lambda s, t: 1 - s.beta[t].sqrt(), lambda s, t: s.beta[t].sqrt()),
        *("1.1", "1.2", "1.3"),
    ),
    noising(
        "q_step: t from zero",
        lambda original: lambda x, t, eps, s: original(x, (t - 1).clamp(min=1), eps, s),
        *("1.1", "1.2", "1.5", "1.11"),
    ),
    noising(
        "q_sample: alpha for alpha_bar",
        mixing(lambda s, t: s.alpha[t].sqrt(), lambda s, t: s.beta[t].sqrt()),
        *("1.5", "1.11"),
    ),
    noising(
        "q_sample: variance for the standard deviation",
        mixing(lambda s, t: s.alpha_bar[t].sqrt(), lambda s, t: 1 - s.alpha_bar[t]),
        *("1.5", "1.11"),
    ),
    noising(
        "q_sample: no root on the signal",
        mixing(lambda s, t: s.alpha_bar[t], lambda s, t: (1 - s.alpha_bar[t]).sqrt()),
        *("1.5", "1.11"),
    ),
    noising(
        "q_sample: roots forgotten",
        mixing(lambda s, t: s.alpha_bar[t], lambda s, t: 1 - s.alpha_bar[t]),
        *("1.5", "1.11"),
    ),
    noising(
        "q_sample: t from zero",
        lambda original: lambda x, t, eps, s: original(x, (t - 1).clamp(min=1), eps, s),
        "1.5",
    ),
    noising("q_sample: t along the last axis", along_the_last_axis),
    noising("q_sample: rounded before the subtraction", rounded_first),
    noising("draw_t: from 0", drawing(0, -1)),
    noising("draw_t: T left out", drawing(1, -1)),
    noising("draw_t: 1 left out", drawing(2, 0)),
    noising("draw_t: one for the whole batch", one_t_for_all),
)
