"""Right answers to the exercises of notebook 05, each written by somebody else."""

import math

import numpy as np
import torch

import right_answers_walks
from diffedu.diffusion.gaussian import posterior, x0_from_eps
from diffedu.diffusion.samplers import ddim_step
from diffedu.diffusion.schedules import Schedule
from right_answers_walks import (
    lift,
    move_from_the_straight_one,
    step_by_the_posterior,
    step_in_float32,
    step_sample_by_sample,
    times_by_linspace,
    times_in_a_list,
)


def times_in_whole_numbers(T, steps):
    return np.array([(2 * k * T + steps) // (2 * steps) for k in range(steps + 1)])


def step_in_numpy(xt, eps_hat, t, s, variance, noise):
    x, eps, z, t = (a.numpy() for a in (xt, eps_hat, noise, t))
    column = (len(t),) + (1,) * (x.ndim - 1)
    a, ab, var = (y.numpy()[t].reshape(column) for y in (s.alpha, s.alpha_bar, variance))
    z = np.where(t.reshape(column) > 1, z, 0)
    return (x - (1 - a) / np.sqrt(1 - ab) * eps) / np.sqrt(a) + np.sqrt(var) * z


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


def move_in_float32(xt, eps_hat, t, t_next, s, eta, noise):
    return ddim_step(xt.float(), eps_hat.float(), t, t_next, s, eta, noise.float())


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


def clipped_by_the_posterior(xt, eps_hat, t, s, variance, noise):
    x0 = torch.clip(x0_from_eps(xt, t, eps_hat, s), -1, 1)
    mean = posterior(x0, xt, t, s)[0]
    return mean + lift(variance[t].sqrt(), xt) * noise * lift((t > 1).double(), xt)


def clipped_as_ddim(xt, eps_hat, t, s, variance, noise):
    signal, spread = s.alpha_bar[t].sqrt(), (1 - s.alpha_bar[t]).sqrt()
    x0 = ((xt - lift(spread, xt) * eps_hat) / lift(signal, xt)).minimum(torch.ones(()))
    x0 = x0.maximum(-torch.ones(()))
    eps = (xt - lift(signal, xt) * x0) / lift(spread, xt)
    mean = ddim_step(xt, eps, t, t - 1, s, 1.0, torch.zeros_like(xt))
    return torch.where(lift(t, xt) > 1, mean + lift(variance[t].sqrt(), xt) * noise, mean)


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


RIGHT = {
    **right_answers_walks.RIGHT,
    "times_to_visit": (times_by_linspace, times_in_a_list, times_in_whole_numbers),
    "ancestral_step": (
        step_sample_by_sample,
        step_by_the_posterior,
        step_in_numpy,
        step_in_float32,
    ),
    "pushed": (pushed_with_roots, pushed_by_mean_squares, pushed_as_a_list),
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
    "guess_wrong_noise_std": (0.01, 0.018, [0.0145]),
    "guess_ten_steps": (0.2, 0.17, torch.tensor(0.19)),
}
