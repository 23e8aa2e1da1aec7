r"""The ordinary differential equation behind DDIM with eta = 0, and walking it upwards.

In the coordinates $y = x/\sqrt{\bar\alpha}$ and $u = \sqrt{(1-\bar\alpha)/\bar\alpha}$ a
deterministic DDIM step is Euler's step of $dy/du = \hat\epsilon(x, t)$ (Song, Meng, Ermon 2021,
eq. 14). An equation can be followed in both directions: from data to noise it is an encoder.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch

from diffedu import expect
from diffedu.diffusion.gaussian import x0_from_eps
from diffedu.diffusion.samplers import State, strided_times
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch, EpsModel, Steps, per_sample


def ode_step(xt: Batch, eps_hat: Batch, t: Steps, t_next: Steps, s: Schedule) -> Batch:
    r"""Euler's step from t to any other t_next in 0..T, earlier or later.

    $x_{t'} = \sqrt{\bar\alpha_{t'}}\,\big(x_t/\sqrt{\bar\alpha_t} + (u_{t'} - u_t)\,
    \hat\epsilon\big)$. For t_next < t it equals `ddim_step` with eta = 0.
    """
    expect.batch("xt", xt)
    expect.like("eps_hat", eps_hat, xt)
    expect.schedule("s", s)
    expect.steps("t", t, s.T, xt, low=0)
    expect.steps("t_next", t_next, s.T, xt, low=0)
    now, after = s.alpha_bar[t.cpu()], s.alpha_bar[t_next.cpu()]
    stride = ((1 - after) / after).sqrt() - ((1 - now) / now).sqrt()
    signal = per_sample((after / now).sqrt(), xt)
    return signal * xt + per_sample(after.sqrt() * stride, xt) * eps_hat


def encode(model: EpsModel, x0: Batch, s: Schedule, steps: int = 50) -> Iterator[State]:
    """From data to its noise, without drawing any: a State at each visited t from 0 up to T.

    `ddim(model, x, s, steps)` from the last State leads back, up to an error that falls as
    1/steps. A model does not know t = 0; the first step asks it at t = 1. The x0_hat of the first
    State is x0, the eps_hat of the last one is None.
    """
    expect.function("model", model)
    expect.batch("x0", x0)
    expect.schedule("s", s)
    return _encode(model, x0, s, strided_times(s.T, steps).tolist())


@torch.no_grad()
def _encode(model: EpsModel, xt: Batch, s: Schedule, times: list[int]) -> Iterator[State]:
    x0_hat = xt
    for step, next_step in pairwise(times):
        t = torch.full((len(xt),), step, device=xt.device)
        eps_hat = model(xt, t.clamp(min=1))
        expect.like("eps_hat", eps_hat, xt)
        if step > 0:
            x0_hat = x0_from_eps(xt, t, eps_hat, s)
        yield State(step, xt, x0_hat, eps_hat)
        xt = ode_step(xt, eps_hat, t, torch.full_like(t, next_step), s)
    yield State(s.T, xt, x0_hat, None)
