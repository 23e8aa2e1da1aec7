r"""From noise to data: ancestral sampling and DDIM, as generators that show every state.

Each step is one pure function with its noise passed in; each sampler is a loop over it.
`model(x, t)` returns eps_hat. The samplers keep no gradients; the steps do. `clip` is applied to
x0_hat and never to x_t: x_t may leave [-1, 1], the clean data may not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.gaussian import (
    eps_from_x0,
    fixed_small,
    reverse_mean,
    x0_from_eps,
)
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch, EpsModel, PerStep, Steps, per_sample

Clip = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class State:
    """Where a sampler stands: x_t, and what the model says there.

    At t = 0, x0_hat is xt and eps_hat is None.
    """

    t: int
    xt: Batch
    x0_hat: Batch
    eps_hat: Batch | None


def ddpm_step(
    xt: Batch, eps_hat: Batch, t: Steps, s: Schedule, variance: PerStep, noise: Batch
) -> Batch:
    r"""One ancestral step from t to t-1 (DDPM algorithm 2, line 4).

    $x_{t-1} = \mu(x_t, \hat\epsilon) + \sigma_t\,z$, where sigma_t is the *root* of variance[t],
    and z = 0 at t = 1: the last step adds no noise, whatever variance[1] is.
    """
    expect.variances("variance", variance, s.T)
    mean = reverse_mean(xt, eps_hat, t, s)
    expect.like("noise", noise, xt)
    now = t.cpu()
    sigma = variance[now].sqrt() * (now > 1)
    return mean + per_sample(sigma, xt) * noise


def ddim_step(
    xt: Batch,
    eps_hat: Batch,
    t: Steps,
    t_next: Steps,
    s: Schedule,
    eta: float,
    noise: Batch | None,
) -> Batch:
    r"""One DDIM step from t to any earlier t_next (Song, Meng, Ermon 2021, eqs. 12 and 16).

    $x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat x_0
    + \sqrt{1-\bar\alpha_{t'}-\sigma^2}\,\hat\epsilon + \sigma z$ with
    $\sigma^2 = \eta^2\,\frac{1-\bar\alpha_{t'}}{1-\bar\alpha_t}
    \Big(1-\frac{\bar\alpha_t}{\bar\alpha_{t'}}\Big)$.
    eta = 0 is deterministic (noise may be None); eta = 1 from t to t-1 is DDPM with beta-tilde.
    """
    x0_hat = x0_from_eps(xt, t, eps_hat, s)
    expect.real("eta", eta, 0, 1, wanted="0 <= eta <= 1")
    _check_next(t, t_next, s, xt)
    if eta > 0:
        expect.like("noise", noise, xt)
    return _ddim_move(x0_hat, eps_hat, t, t_next, s, eta, noise)


def _ddim_move(
    x0_hat: Batch,
    eps_hat: Batch,
    t: Steps,
    t_next: Steps,
    s: Schedule,
    eta: float,
    noise: Batch | None,
) -> Batch:
    """The same step from an x0_hat at hand: eps_hat leads back to it only roughly."""
    alpha_bar, alpha_bar_next = s.alpha_bar[t.cpu()], s.alpha_bar[t_next.cpu()]
    jump_beta = 1 - alpha_bar / alpha_bar_next
    variance = eta**2 * (1 - alpha_bar_next) / (1 - alpha_bar) * jump_beta
    direction = (1 - alpha_bar_next - variance).clamp(min=0).sqrt()  # rounding may leave -1e-17
    signal = per_sample(alpha_bar_next.sqrt(), x0_hat)
    mean = signal * x0_hat + per_sample(direction, x0_hat) * eps_hat
    return mean if eta == 0 else mean + per_sample(variance.sqrt(), x0_hat) * noise


def ddpm(
    model: EpsModel,
    xT: Batch,
    s: Schedule,
    variance: PerStep,
    *,
    generator: torch.Generator,
    t: int | None = None,
    clip: Clip | None = None,
) -> Iterator[State]:
    """Ancestral sampling: yields a State at t = T, ..., 1 and a clean one at 0 (DDPM algorithm 2).

    `t` starts lower: `xT` is then x_t. `variance` is `fixed_small(s)`, `fixed_large(s)` or your own
    (T+1,).
    """
    start = _check_start(model, xT, s, t, clip)
    expect.generator("generator", generator)
    expect.variances("variance", variance, s.T)
    return _ddpm(model, xT, s, variance, generator, start, clip)


def ddim(
    model: EpsModel,
    xT: Batch,
    s: Schedule,
    steps: int = 50,
    eta: float = 0.0,
    *,
    generator: torch.Generator | None = None,
    t: int | None = None,
    clip: Clip | None = None,
) -> Iterator[State]:
    """DDIM in `steps` network calls: yields a State per visited t (Song, Meng, Ermon 2021).

    The last State is the clean one at t = 0. The visited steps are `strided_times(t, steps)`; `t`
    starts lower than T: `xT` is then x_t. eta > 0 draws noise and needs a generator.
    """
    start = _check_start(model, xT, s, t, clip)
    times = strided_times(start, steps)
    expect.real("eta", eta, 0.0, 1.0, wanted="0 <= eta <= 1")
    if eta > 0:
        expect.generator("generator", generator)
    return _ddim(model, xT, s, times, eta, generator, clip)


def ddpm_strided(
    model: EpsModel,
    xT: Batch,
    s: Schedule,
    steps: int,
    variance: Callable[[Schedule], PerStep] = fixed_small,
    *,
    generator: torch.Generator,
    t: int | None = None,
    clip: Clip | None = None,
) -> Iterator[State]:
    r"""Ancestral sampling in `steps` jumps, each with its own beta (Nichol, Dhariwal 2021, eq. 19).

    A jump from t to t' is one step of a schedule with $\beta = 1 - \bar\alpha_t/\bar\alpha_{t'}$;
    keeping beta_t would add the noise of one small step only. `variance` is a function of that
    schedule.
    """
    start = _check_start(model, xT, s, t, clip)
    times = strided_times(start, steps)
    expect.function("variance", variance)
    alpha_bar = s.alpha_bar[times]
    jumps = Schedule.from_beta(1 - alpha_bar[1:] / alpha_bar[:-1])

    def model_at(x: Tensor, k: Tensor) -> Tensor:
        return model(x, times.to(k.device)[k])

    states = ddpm(model_at, xT, jumps, variance(jumps), generator=generator, clip=clip)
    return (replace(state, t=int(times[state.t])) for state in states)


def strided_times(T: int, steps: int) -> Steps:
    """The times a strided sampler visits, ascending: round(linspace(0, T, steps + 1)).

    The first is 0, the clean image with alpha_bar = 1; stopping at t = 1 would leave its noise in
    the sample.
    """
    expect.integer("T", T, 1)
    expect.integer("steps", steps, 1, T)
    k = torch.arange(steps + 1, dtype=torch.float64)
    return (k * T / steps).round().long()  # linspace itself misses exact halves by a rounding error


@torch.no_grad()
def _ddpm(model, xt, s, variance, generator, start, clip) -> Iterator[State]:
    for step in range(start, 0, -1):
        state, t = _look(model, xt, step, s, clip)
        yield state
        noise = _randn_like(xt, generator)
        xt = ddpm_step(xt, state.eps_hat, t, s, variance, noise)
    yield State(0, xt, xt, None)


@torch.no_grad()
def _ddim(model, xt, s, times, eta, generator, clip) -> Iterator[State]:
    for step, next_step in zip(times.tolist()[:0:-1], times.tolist()[-2::-1], strict=True):
        state, t = _look(model, xt, step, s, clip)
        yield state
        noise = _randn_like(xt, generator) if eta > 0 else None
        t_next = torch.full_like(t, next_step)
        xt = _ddim_move(state.x0_hat, state.eps_hat, t, t_next, s, eta, noise)
    yield State(0, xt, xt, None)


def _look(
    model: EpsModel, xt: Batch, step: int, s: Schedule, clip: Clip | None
) -> tuple[State, Steps]:
    """Ask the model at (x_t, t); eps_hat always belongs to the x0_hat that clip leaves."""
    t = torch.full((len(xt),), step, device=xt.device)
    eps_hat = model(xt, t)
    expect.like("eps_hat", eps_hat, xt)
    x0_hat = x0_from_eps(xt, t, eps_hat, s)
    if clip is not None:
        x0_hat = clip(x0_hat)
        expect.like("clip(x0_hat)", x0_hat, xt)
        eps_hat = eps_from_x0(xt, t, x0_hat, s)
    return State(step, xt, x0_hat, eps_hat), t


def _randn_like(x: Batch, generator: torch.Generator) -> Batch:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


def _check_start(model: EpsModel, xT: Batch, s: Schedule, t: int | None, clip: Clip | None) -> int:
    """The step to start from: t, or T if t is None."""
    expect.function("model", model)
    expect.batch("xT", xT)
    expect.schedule("s", s)
    if clip is not None:
        expect.function("clip", clip)
    if t is None:
        return s.T
    expect.integer("t", t, 1, s.T)
    return t


def _check_next(t: Steps, t_next: Steps, s: Schedule, x: Batch) -> None:
    expect.steps("t_next", t_next, s.T - 1, x, low=0)
    late = t_next >= t
    if late.any():
        expect.fail("t_next", f"less than t = {t[late][0].item()}", t_next[late][0].item())
