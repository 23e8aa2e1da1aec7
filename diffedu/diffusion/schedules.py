r"""Noise schedules: how much noise each of the T steps adds.

Symbols and steps are those of Ho, Jain, Abbeel, "Denoising diffusion probabilistic models" (DDPM,
2020): t runs from 1 to T, and every per-step array has T+1 float64 entries with the clean data at
index 0.
"""

import math
from dataclasses import dataclass

import torch

from diffedu import expect
from diffedu.shapes import PerStep


@dataclass(frozen=True, eq=False)
class Schedule:
    r"""The four arrays of a diffusion, each (T+1,) float64; index 0 is the clean data.

    beta[t] is the variance added at step t, $\alpha_t = 1 - \beta_t$,
    $\bar\alpha_t = \prod_{i=1}^t \alpha_i$ (DDPM section 2), and
    snr[t] = $\bar\alpha_t / (1 - \bar\alpha_t)$, which is infinite at t = 0.
    Build one with `Schedule.from_beta` or with a named constructor; the arrays belong together.
    """

    beta: PerStep
    alpha: PerStep
    alpha_bar: PerStep
    snr: PerStep

    @property
    def T(self) -> int:
        """The number of steps."""
        return len(self.beta) - 1

    @classmethod
    def from_beta(cls, beta_1_to_T: torch.Tensor) -> "Schedule":
        r"""Derive every array from beta_1 ... beta_T, any values with 0 < beta < 1.

        ValueError if a beta lies outside, or if alpha_bar stops falling because float64 cannot tell
        it from its neighbour (beta below about 1e-16) or from 0 (below about 1e-300).
        """
        expect.tensor("beta", beta_1_to_T)
        if beta_1_to_T.ndim != 1 or len(beta_1_to_T) == 0:
            expect.fail("beta", "shape (T,) with T >= 1", tuple(beta_1_to_T.shape))
        inside = (beta_1_to_T > 0) & (beta_1_to_T < 1)
        if not inside.all():
            expect.fail("beta", "0 < beta < 1", beta_1_to_T[~inside][0].item())
        beta = torch.cat([torch.zeros(1), beta_1_to_T.detach().cpu().double()])
        alpha = 1 - beta
        alpha_bar = alpha.cumprod(0)
        if not ((alpha_bar.diff() < 0).all() and alpha_bar[-1] > 0):
            expect.fail(
                "beta",
                "alpha_bar to fall at every step and stay above 0 in float64",
                "one that does not",
            )
        return cls(beta, alpha, alpha_bar, snr=alpha_bar / (1 - alpha_bar))


def linear(T: int, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    r"""Betas on a straight line (DDPM section 4).

    The endpoints are given for 1000 steps and multiplied by 1000/T: fewer steps must each add more
    noise. ValueError for T <= 20, where the last beta would reach 1.
    """
    return _named("linear", T, _line(T, *_endpoints(T, beta_1, beta_T)))


def scaled_linear(T: int, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    r"""Square roots of beta on a straight line (latent diffusion; "scaled_linear" in diffusers).

    Roots first, then the line, then the square. Endpoints as in `linear`.
    """
    first, last = _endpoints(T, beta_1, beta_T)
    return _named("scaled_linear", T, _line(T, math.sqrt(first), math.sqrt(last)) ** 2)


def cosine(T: int, s: float = 0.008) -> Schedule:
    r"""A squared cosine for alpha_bar (Nichol and Dhariwal 2021, eq. 17).

    $\bar\alpha_t = f(t)/f(0)$ with $f(t) = \cos^2\!\big(\tfrac{t/T+s}{1+s}\cdot\tfrac{\pi}{2}\big)$

    The betas that follow from it are clipped at .999, as in the paper. ValueError for T = 1:
    alpha_bar[1] would stay at .001.
    """
    expect.integer("T", T, 2)
    expect.real("s", s, 0.0, wanted="a finite number >= 0")
    time = _line(T + 1, 0.0, 1.0)
    return _named("cosine", T, _clipped_beta(torch.cos((time + s) / (1 + s) * math.pi / 2) ** 2))


def sigmoid(T: int, start: float = -3.0, end: float = 3.0, tau: float = 1.0) -> Schedule:
    r"""A falling sigmoid for alpha_bar (Jabri, Fleet, Chen 2022; Chen 2023).

    $\bar\alpha_t \propto \sigma(b) - \sigma\big(a + \tfrac{t}{T}(b-a)\big)$, scaled to 1 at t = 0

    a is start/tau and b is end/tau. Betas are clipped at .999, as for `cosine`.
    """
    expect.integer("T", T, 2)
    expect.real("start", start, -math.inf, wanted="a finite number")
    expect.real("end", end, -math.inf, wanted="a finite number")
    expect.real("tau", tau, 0.0, wanted="a number > 0")
    if not (start < end and tau > 0):
        expect.fail("start, end, tau", "start < end and tau > 0", (start, end, tau))
    z = _line(T + 1, start, end) / tau
    # sigma(b) - sigma(a) = (1 - e^(a-b)) sigma(b) sigma(-a): no cancellation when both are near 1
    fall = -torch.expm1(z - z[-1]) * torch.sigmoid(-z)
    return _named("sigmoid", T, _clipped_beta(fall))


def _line(n: int, first: float, last: float) -> torch.Tensor:
    return torch.linspace(first, last, n, dtype=torch.float64)


def _endpoints(T: int, beta_1: float, beta_T: float) -> tuple[float, float]:
    """DDPM's endpoints hold for 1000 steps; the total noise stays if they grow as 1000/T."""
    expect.integer("T", T, 1)
    for name, beta in (("beta_1", beta_1), ("beta_T", beta_T)):
        expect.real(name, beta, 0, 1, wanted=(wanted := f"0 < {name} < 1"))
        if beta in (0, 1):
            expect.fail(name, wanted, beta)
    too_few = 1000 * max(beta_1, beta_T)
    if too_few >= T:
        expect.fail("T", f"more than {too_few:g} steps, so that every beta stays below 1", T)
    return beta_1 * 1000 / T, beta_T * 1000 / T


def _clipped_beta(curve: torch.Tensor) -> torch.Tensor:
    """beta_t = 1 - curve_t / curve_{t-1}, at most .999, for a falling curve over t = 0..T."""
    return (1 - curve[1:] / curve[:-1]).clamp(max=0.999)


def _named(name: str, T: int, beta_1_to_T: torch.Tensor) -> Schedule:
    """Refuse a T at which the schedule no longer means what its name says."""
    schedule = Schedule.from_beta(beta_1_to_T)
    if schedule.alpha_bar[T] > 1e-3:
        left = schedule.alpha_bar[T].item()
        expect.fail(
            "T", f"{name} to end with alpha_bar[T] <= 0.001", f"T={T} with alpha_bar[T]={left:.4f}"
        )
    return schedule


SCHEDULES = {"linear": linear, "scaled_linear": scaled_linear, "cosine": cosine, "sigmoid": sigmoid}
