"""Right answers to the walks of notebook 05, and the single steps that they are made of."""

import math
from itertools import pairwise

import torch
from einops import rearrange

from diffedu.diffusion.gaussian import posterior, q_step, x0_from_eps
from diffedu.diffusion.ode import ode_step


def lift(numbers, x):
    """(B,) numbers shaped for x."""
    return numbers.to(x).reshape(-1, *[1] * (x.ndim - 1))


def times_by_linspace(T, steps):
    return torch.linspace(0, T, steps + 1).round().long()


def times_in_a_list(T, steps):
    return [int(k * T / steps + 0.5) for k in range(steps + 1)]


def step_sample_by_sample(xt, eps_hat, t, s, variance, noise):
    found = []
    for x, eps, now, z in zip(xt, eps_hat, t.tolist(), noise, strict=True):
        mean = x - s.beta[now] / math.sqrt(1 - s.alpha_bar[now]) * eps
        mean = mean / math.sqrt(s.alpha[now])
        found.append(mean if now == 1 else mean + math.sqrt(variance[now]) * z)
    return torch.stack(found)


def step_by_the_posterior(xt, eps_hat, t, s, variance, noise):
    mean, _ = posterior(x0_from_eps(xt, t, eps_hat, s), xt, t, s)
    sigma = torch.where(t == 1, torch.zeros(()), variance[t]).sqrt()
    return mean + lift(sigma, xt) * noise


def step_in_float32(xt, eps_hat, t, s, variance, noise):
    x = xt.float()
    weight, root = s.beta[t] / (1 - s.alpha_bar[t]) ** 0.5, s.alpha[t] ** 0.5
    z = noise.float().clone()
    z[t == 1] = 0
    x = (x - lift(weight, x) * eps_hat.float()) / lift(root, x)
    return x + lift(variance[t] ** 0.5, x) * z


def move_from_the_straight_one(xt, eps_hat, t, t_next, s, eta, noise):
    straight = ode_step(xt, eps_hat, t, t_next, s)
    now, after = s.alpha_bar[t], s.alpha_bar[t_next]
    variance = eta * eta * (1 - after) / (1 - now) * (1 - now / after)
    change = (1 - after - variance).relu().sqrt() - (1 - after).sqrt()
    return straight + lift(change, xt) * eps_hat + lift(variance.sqrt(), xt) * noise


def loop_with_while(model, xT, s, variance, noise):
    x, t = xT.clone(), s.T
    while t >= 1:
        eps = model(x, torch.tensor([t] * len(x)))
        x -= s.beta[t] / (1 - s.alpha_bar[t]).sqrt() * eps
        x /= s.alpha[t].sqrt()
        if t != 1:
            x += variance[t].sqrt() * noise[t]
        t -= 1
    return x


def loop_in_float32(model, xT, s, variance, noise):
    x = xT.float()
    for t in reversed(range(1, s.T + 1)):
        mean = posterior(x0_from_eps(x, n := torch.full((len(x),), t), model(x, n), s), x, n, s)[0]
        x = mean + float(variance[t]) ** 0.5 * noise[t].float() * (t > 1)
    return x


def loop_that_calls_itself(model, xT, s, variance, noise):
    def back(x, t):
        if t == 0:
            return x
        now = torch.ones(len(x), dtype=torch.long) * t
        z = noise[t] if t > 1 else torch.zeros_like(x)
        return back(step_by_the_posterior(x, model(x, now), now, s, variance, z), t - 1)

    return back(xT, s.T)


def restart_in_one_loop(model, x0, t, s, variance, eps, noise):
    x = s.alpha_bar[t].sqrt() * x0 + (1 - s.alpha_bar[t]).sqrt() * eps
    for k in list(range(1, t + 1))[::-1]:
        now = torch.tensor(k).repeat(len(x))
        x = step_sample_by_sample(x, model(x, now), now, s, variance, noise[k])
    return x


def restart_in_float32(model, x0, t, s, variance, eps, noise):
    bar = float(s.alpha_bar[t])
    x = bar**0.5 * x0.float() + (1 - bar) ** 0.5 * eps.float()
    while t:
        now = torch.full((len(x),), t)
        x = step_in_float32(x, model(x, now), now, s, variance, noise[t])
        t -= 1
    return x


def restart_step_by_step(model, x0, t, s, variance, eps, noise):
    """Forward without noise, which shrinks x_0 as it must; all of the noise at the end."""
    x = x0
    for k in range(1, t + 1):
        x = q_step(x, torch.full((len(x),), k), torch.zeros_like(x), s)
    x = x + torch.sqrt(1 - torch.prod(s.alpha[1 : t + 1])) * eps
    for k in range(t, 0, -1):
        now = torch.full((len(x),), k)
        x = step_by_the_posterior(x, model(x, now), now, s, variance, noise[k])
    return x


def strided_by_pairs(model, xT, s, steps):
    times = times_in_a_list(s.T, steps)
    x = xT
    for after, now in reversed(list(pairwise(times))):
        t, t_next = (torch.full((len(x),), k) for k in (now, after))
        x = move_from_the_straight_one(x, model(x, t), t, t_next, s, 0.0, x)
    return x


def strided_as_euler(model, xT, s, steps):
    u = ((1 - s.alpha_bar) / s.alpha_bar).sqrt()
    times = times_by_linspace(s.T, steps).flip(0)
    y = xT / s.alpha_bar[-1].sqrt()
    for now, after in pairwise(times):
        eps = model(y * s.alpha_bar[now].sqrt(), now.expand(len(y)))
        y = y + (u[after] - u[now]) * eps
    return y


def strided_in_float32(model, xT, s, steps):
    times, x = times_by_linspace(s.T, steps), xT.float()
    for k in range(steps)[::-1]:
        t = times[k + 1].repeat(len(x))
        x0 = x0_from_eps(x, t, eps := model(x, t), s)
        bar = s.alpha_bar[times[k]].float()
        x = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return x


def sampler_by_the_posterior(model, xT, s, noise):
    x = xT
    for t in range(s.T, 0, -1):
        now = torch.full((len(x),), t)
        mean, _ = posterior(x0_from_eps(x, now, model(x, now), s), x, now, s)
        x = mean + (t != 1) * s.beta[t].sqrt() * noise[t]
    return x


def sampler_with_rows(model, xT, s, noise):
    x, z = xT.clone(), noise.clone()
    z[1] = 0
    for now in torch.arange(s.T, 0, -1):
        t = rearrange(now, "-> 1").expand(len(x))
        eps = model(x, t)
        x = (x - (1 - s.alpha[now]) * eps / (1 - s.alpha_bar[now]) ** 0.5) * s.alpha[now] ** -0.5
        x = x + z[now] * (1 - s.alpha[now]) ** 0.5
    return x


def sampler_in_float32(model, xT, s, noise):
    return loop_in_float32(model, xT, s, 1 - s.alpha.float(), noise)


RIGHT = {
    "ancestral_loop": (loop_with_while, loop_in_float32, loop_that_calls_itself),
    "restart": (restart_in_one_loop, restart_in_float32, restart_step_by_step),
    "repair_strided": (strided_by_pairs, strided_as_euler, strided_in_float32),
    "repair_sampler": (sampler_by_the_posterior, sampler_with_rows, sampler_in_float32),
}
