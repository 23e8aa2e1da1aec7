"""Right answers to the exercises of notebook 01, each written by somebody else."""

import math

import numpy as np
import torch
from einops import einsum

from diffedu.diffusion.schedules import cosine, linear


def like(coefficient, x):
    """The axes by hand: the helper of the package is for the reference."""
    return coefficient.reshape(len(x), *[1] * (x.ndim - 1))


def step_by_loop(x_prev, t, eps, s):
    found = []
    for x, k, noise in zip(x_prev, t.tolist(), eps, strict=True):
        beta = float(s.beta[k])
        found.append(math.sqrt(1 - beta) * x + math.sqrt(beta) * noise)
    return torch.stack(found)


def step_in_numpy(x_prev, t, eps, s):
    beta = s.beta.numpy()[t.numpy()].reshape(-1, *[1] * (x_prev.ndim - 1))
    return np.sqrt(1 - beta) * x_prev.numpy() + beta**0.5 * eps.numpy()


def step_with_alpha_in_float32(x_prev, t, eps, s):
    alpha = s.alpha.float()[t]
    while alpha.ndim < x_prev.ndim:
        alpha = alpha.unsqueeze(-1)
    return alpha.sqrt() * x_prev.float() + torch.sqrt(1 - alpha) * eps.float()


def left_by_logarithms(beta):
    return torch.exp(torch.log1p(-beta).cumsum(0))


def left_in_numpy_float32(beta):
    return np.cumprod(1 - beta.float().numpy())


def left_from_step_1(beta):
    return torch.cat([torch.ones(1), torch.cumprod(1 - beta[1:], dim=0)])


def range_in_numpy(pixels):
    return (pixels.numpy().astype(np.float32) - 127.5) / 127.5


def range_from_a_table(pixels):
    return torch.linspace(-1, 1, 256)[pixels.long()]


def range_in_place(pixels):
    x = pixels.to(torch.float64)
    return x.sub_(127.5).div_(127.5)


def picture_by_loop(coefficient, x):
    out = x.clone()
    for k in range(len(x)):
        out[k] *= coefficient[k]
    return out


def picture_by_einsum(coefficient, x):
    return einsum(coefficient, x, "b, b ... -> b ...")


def picture_transposed(coefficient, x):
    return (x.numpy().T * coefficient.numpy()).T


def jump_by_loop(x0, t, eps, s):
    found = []
    for k, step in enumerate(t):
        share = s.alpha_bar[step].item()
        found.append(share**0.5 * x0[k] + (1 - share) ** 0.5 * eps[k])
    return torch.stack(found)


def jump_in_float32(x0, t, eps, s):
    alpha_bar = like(torch.cumprod(1 - s.beta, 0).float()[t], x0)
    return (alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps).float()


def jump_by_snr(x0, t, eps, s):
    snr = like(s.snr[t], x0)
    return (x0 * snr.sqrt() + eps) / (1 + snr).sqrt()


def steps_by_multinomial(batch_size, s, generator):
    chances = torch.ones(s.T)
    return 1 + torch.multinomial(chances, batch_size, replacement=True, generator=generator)


def steps_by_floor(batch_size, s, generator):
    return torch.rand(batch_size, generator=generator).mul(s.T).long() + 1


def steps_shuffled(batch_size, s, generator):
    rounds = [torch.randperm(s.T, generator=generator) for _ in range(batch_size // s.T + 1)]
    return torch.cat(rounds)[:batch_size] + 1


def steps_in_numpy(batch_size, s, generator):
    seed = torch.randint(2**31, (1,), generator=generator).item()
    return np.random.default_rng(seed).integers(1, s.T, batch_size, endpoint=True)


def between_by_products(xr, r, t, eps, s):
    found = []
    for k, (a, b) in enumerate(zip(r.tolist(), t.tolist(), strict=True)):
        left = s.alpha[a + 1 : b + 1].prod()
        found.append(left.sqrt() * xr[k] + (1 - left).sqrt() * eps[k])
    return torch.stack(found)


def between_by_recursion(xr, r, t, eps, s):
    out = torch.empty_like(xr)
    for k in range(len(xr)):
        signal, variance = 1.0, 0.0
        for step in range(int(r[k]) + 1, int(t[k]) + 1):
            beta = s.beta[step].item()
            signal, variance = signal * (1 - beta) ** 0.5, (1 - beta) * variance + beta
        out[k] = signal * xr[k] + variance**0.5 * eps[k]
    return out


def between_in_float32(xr, r, t, eps, s):
    table = s.alpha_bar.float()
    ratio = like(table[t] / table[r], xr)
    return ratio.sqrt() * xr.float() + (1 - ratio).sqrt() * eps.float()


def line_by_formula(T):
    return [1000 / T * (1e-4 + (t - 1) / (T - 1) * (0.02 - 1e-4)) for t in range(1, T + 1)]


def line_in_numpy(T):
    return np.linspace(0.1 / T, 20 / T, T)


def line_in_float32(T):
    t = torch.arange(1, T + 1, dtype=torch.float32)
    return 1000 / T * (1e-4 + (t - 1) / (T - 1) * 0.0199)


def line_of_the_package(T):
    return linear(T).beta[1:]


def cosine_by_loop(T):
    def f(t):
        return math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2

    return [min(1 - f(t) / f(t - 1), 0.999) for t in range(1, T + 1)]


def cosine_in_numpy(T):
    f = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    alpha_bar = f / f[0]
    return np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], 0.999)


def cosine_in_float32(T):
    f = torch.cos((torch.arange(T + 1) / T + 0.008) / 1.008 * torch.pi / 2) ** 2
    return torch.clip((f[:-1] - f[1:]) / f[:-1], 0, 0.999)


def cosine_of_the_package(T):
    return cosine(T).beta[1:]


def walk_with_the_noise_read_inside(x0, eps, s):
    x = x0
    for t in range(1, s.T + 1):
        noise = eps[t]
        signal = (1 - s.beta[t]).sqrt()
        x = signal * x + s.beta[t].sqrt() * noise
    return x


def walk_over_pairs(x0, eps, s):
    x = x0.float()
    for beta, noise in zip(s.beta[1:].tolist(), eps[1:], strict=True):
        x = math.sqrt(1 - beta) * x + math.sqrt(beta) * noise.float()
    return x


def walk_as_one_sum(x0, eps, s):
    """Noise t is shrunk by the steps after t."""
    after = s.alpha_bar[-1] / s.alpha_bar
    noise = einsum((s.beta * after).sqrt(), eps, "t, t ... -> ...")
    return s.alpha_bar[-1].sqrt() * x0 + noise


RIGHT = {
    "guess_final_variance": (0.02, 0.019, torch.tensor(0.0175), np.float32(0.022)),
    "guess_half_signal": (250, 263.0, torch.tensor(280), np.int64(240)),
    "guess_signal_curve": (
        [0.7, 0.2, 0.0, 0.0],
        torch.tensor([0.65, 0.2, 0.03, 0.002]),
        np.exp(-1e-5 * np.array([200.0, 400, 600, 800]) ** 2),
        (0.6, 0.25, 0.1, 0.05),
    ),
    "one_step": (step_by_loop, step_in_numpy, step_with_alpha_in_float32),
    "signal_left": (left_by_logarithms, left_in_numpy_float32, left_from_step_1),
    "to_range": (range_in_numpy, range_from_a_table, range_in_place),
    "per_picture": (picture_by_loop, picture_by_einsum, picture_transposed),
    "jump": (jump_by_loop, jump_in_float32, jump_by_snr),
    "draw_steps": (steps_by_multinomial, steps_by_floor, steps_shuffled, steps_in_numpy),
    "jump_between": (between_by_products, between_by_recursion, between_in_float32),
    "linear_betas": (line_by_formula, line_in_numpy, line_in_float32, line_of_the_package),
    "cosine_betas": (cosine_by_loop, cosine_in_numpy, cosine_in_float32, cosine_of_the_package),
    "repair_walk": (walk_with_the_noise_read_inside, walk_over_pairs, walk_as_one_sum),
}
