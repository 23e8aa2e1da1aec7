"""Right answers to the exercises of notebook 05, each written by somebody else."""

import math
from itertools import pairwise

import numpy as np
import torch
from einops import rearrange

from diffedu.diffusion.gaussian import posterior, q_step, x0_from_eps
from diffedu.diffusion.ode import ode_step
from diffedu.diffusion.samplers import ddim_step
from diffedu.diffusion.schedules import Schedule


def lift(numbers, x):
    """(B,) numbers shaped for x."""
    return numbers.to(x).reshape(-1, *[1] * (x.ndim - 1))


# --- times_to_visit


def times_by_linspace(T, steps):
    return torch.linspace(0, T, steps + 1).round().long()


def times_in_a_list(T, steps):
    return [int(k * T / steps + 0.5) for k in range(steps + 1)]


def times_in_whole_numbers(T, steps):
    return np.array([(2 * k * T + steps) // (2 * steps) for k in range(steps + 1)])


# --- ancestral_step


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


def step_in_numpy(xt, eps_hat, t, s, variance, noise):
    x, eps, z, t = (a.numpy() for a in (xt, eps_hat, noise, t))
    column = (len(t),) + (1,) * (x.ndim - 1)
    a, ab, var = (y.numpy()[t].reshape(column) for y in (s.alpha, s.alpha_bar, variance))
    z = np.where(t.reshape(column) > 1, z, 0)
    return (x - (1 - a) / np.sqrt(1 - ab) * eps) / np.sqrt(a) + np.sqrt(var) * z


def step_in_float32(xt, eps_hat, t, s, variance, noise):
    x = xt.float()
    weight, root = s.beta[t] / (1 - s.alpha_bar[t]) ** 0.5, s.alpha[t] ** 0.5
    z = noise.float().clone()
    z[t == 1] = 0
    x = (x - lift(weight, x) * eps_hat.float()) / lift(root, x)
    return x + lift(variance[t] ** 0.5, x) * z


# --- pushed


def pushed_with_roots(mean, variance, A, B, C):
    std = math.hypot(A * math.sqrt(variance), C)
    return mean * A + B, std * std


def pushed_by_mean_squares(mean, variance, A, B, C):
    square = A**2 * (variance + mean**2) + 2 * A * B * mean + B**2 + C**2
    new = A * mean + B
    return new, square - new**2


def pushed_as_a_list(mean, variance, A, B, C):
    row = np.array([A, C])
    return [np.float32(A * mean + B), row @ np.diag([variance, 1.0]) @ row]


# --- ancestral_loop


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


# --- ddim_move


def move_in_numpy(xt, eps_hat, t, t_next, s, eta, noise):
    column = (len(t),) + (1,) * (xt.ndim - 1)
    now, after = (s.alpha_bar[k].numpy().reshape(column) for k in (t, t_next))
    x, eps, z = xt.numpy(), eps_hat.numpy(), noise.numpy()
    sigma = eta * np.sqrt((1 - after) / (1 - now) * (1 - now / after))
    x0 = (x - np.sqrt(1 - now) * eps) / np.sqrt(now)
    return np.sqrt(after) * x0 + np.sqrt(np.maximum(1 - after - sigma**2, 0)) * eps + sigma * z


def move_sample_by_sample(xt, eps_hat, t, t_next, s, eta, noise):
    out = torch.empty_like(xt)
    for i in range(len(xt)):
        now, after = s.alpha_bar[t[i]].item(), s.alpha_bar[t_next[i]].item()
        variance = eta**2 * (1 - after) * (1 - now / after) / (1 - now)
        x0 = xt[i] - math.sqrt(1 - now) * eps_hat[i]
        out[i] = math.sqrt(after / now) * x0 + math.sqrt(variance) * noise[i]
        out[i] += math.sqrt(max(0, 1 - after - variance)) * eps_hat[i]
    return out


def move_from_the_straight_one(xt, eps_hat, t, t_next, s, eta, noise):
    straight = ode_step(xt, eps_hat, t, t_next, s)
    now, after = s.alpha_bar[t], s.alpha_bar[t_next]
    variance = eta * eta * (1 - after) / (1 - now) * (1 - now / after)
    change = (1 - after - variance).relu().sqrt() - (1 - after).sqrt()
    return straight + lift(change, xt) * eps_hat + lift(variance.sqrt(), xt) * noise


def move_in_float32(xt, eps_hat, t, t_next, s, eta, noise):
    return ddim_step(xt.float(), eps_hat.float(), t, t_next, s, eta, noise.float())


# --- jump_variance


def jump_by_precisions(t, t_next, s):
    found = []
    for now, after in zip(t.tolist(), t_next.tolist(), strict=True):
        alpha = s.alpha_bar[now] / s.alpha_bar[after]
        if after == 0:
            found.append(torch.zeros((), dtype=torch.float64))
        else:
            found.append(1 / (alpha / (1 - alpha) + 1 / (1 - s.alpha_bar[after])))
    return torch.stack(found)


def jump_by_a_product(t, t_next, s):
    pairs = list(zip(t.tolist(), t_next.tolist(), strict=True))
    beta = torch.stack([1 - s.alpha[after + 1 : now + 1].prod() for now, after in pairs])
    return beta - beta**2 * s.alpha_bar[t_next] / (1 - s.alpha_bar[t])


def jump_by_a_coarser_schedule(t, t_next, s):
    found = []
    for now, after in zip(t.tolist(), t_next.tolist(), strict=True):
        visited = s.alpha_bar[sorted({0, after, now})]
        coarse = Schedule.from_beta(1 - visited[1:] / visited[:-1])
        share = (1 - coarse.alpha_bar[-2]) / (1 - coarse.alpha_bar[-1])
        found.append(float(share * coarse.beta[-1]))
    return found


def jump_in_float32(t, t_next, s):
    now, after = s.alpha_bar.float()[t], s.alpha_bar.float()[t_next]
    return (after - now) / after * (1 - after) / (1 - now)


# --- clipped_step


def clipped_by_the_posterior(xt, eps_hat, t, s, variance, noise):
    x0 = torch.clip(x0_from_eps(xt, t, eps_hat, s), -1, 1)
    mean = posterior(x0, xt, t, s)[0]
    return mean + lift(variance[t].sqrt(), xt) * noise * lift((t > 1).double(), xt)


def clipped_as_ddim(xt, eps_hat, t, s, variance, noise):
    signal, spread = s.alpha_bar[t].sqrt(), (1 - s.alpha_bar[t]).sqrt()
    x0 = ((xt - lift(spread, xt) * eps_hat) / lift(signal, xt)).minimum(torch.ones(()))
    x0 = x0.maximum(-torch.ones(()))
    eps = (xt - lift(signal, xt) * x0) / lift(spread, xt)
    return ddim_step(xt, eps, t, t - 1, s, 1.0, noise)


def clipped_sample_by_sample(xt, eps_hat, t, s, variance, noise):
    out = []
    for x, eps, now, z in zip(xt.numpy(), eps_hat.numpy(), t.tolist(), noise.numpy(), strict=True):
        bar, before, beta = (
            float(y) for y in (s.alpha_bar[now], s.alpha_bar[now - 1], s.beta[now])
        )
        x0 = np.clip((x - (1 - bar) ** 0.5 * eps) / bar**0.5, -1, 1)
        mean = before**0.5 * beta * x0 + (1 - beta) ** 0.5 * (1 - before) * x
        out.append(mean / (1 - bar) + float(variance[now]) ** 0.5 * z * (now > 1))
    return np.stack(out)


# --- restart


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


# --- repair_strided


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


# --- repair_sampler


def betas_tilde(s):
    return [0.0] + [
        float((1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t]) * s.beta[t])
        for t in range(1, s.T + 1)
    ]


def sampler_by_the_posterior(model, xT, s, noise):
    x = xT
    for t in range(s.T, 0, -1):
        now = torch.full((len(x),), t)
        mean, variance = posterior(x0_from_eps(x, now, model(x, now), s), x, now, s)
        x = mean + variance.sqrt() * noise[t]
    return x


def sampler_as_ddim(model, xT, s, noise):
    x = xT
    for now in torch.arange(s.T, 0, -1):
        t = rearrange(now, "-> 1").expand(len(x))
        x = ddim_step(x, model(x, t), t, t - 1, s, 1.0, noise[now])
    return x


def sampler_in_float32(model, xT, s, noise):
    return loop_in_float32(model, xT, s, torch.tensor(betas_tilde(s)), noise)


RIGHT = {
    "times_to_visit": (times_by_linspace, times_in_a_list, times_in_whole_numbers),
    "ancestral_step": (
        step_sample_by_sample,
        step_by_the_posterior,
        step_in_numpy,
        step_in_float32,
    ),
    "pushed": (pushed_with_roots, pushed_by_mean_squares, pushed_as_a_list),
    "ancestral_loop": (loop_with_while, loop_in_float32, loop_that_calls_itself),
    "ddim_move": (
        move_in_numpy,
        move_sample_by_sample,
        move_from_the_straight_one,
        move_in_float32,
    ),
    "jump_variance": (
        jump_by_precisions,
        jump_by_a_product,
        jump_by_a_coarser_schedule,
        jump_in_float32,
    ),
    "clipped_step": (clipped_by_the_posterior, clipped_as_ddim, clipped_sample_by_sample),
    "restart": (restart_in_one_loop, restart_in_float32, restart_step_by_step),
    "repair_strided": (strided_by_pairs, strided_as_euler, strided_in_float32),
    "repair_sampler": (sampler_by_the_posterior, sampler_as_ddim, sampler_in_float32),
    "guess_wrong_noise_std": (0.01, 0.018, [0.0145]),
    "guess_ten_steps": (0.2, 0.17, torch.tensor(0.19)),
}
