"""Right answers to the exercises of notebook 02, each written by somebody else."""

import math

import numpy as np
import torch


def factor(numbers, x):
    """(B,) numbers as a block of the shape of x."""
    return torch.stack(
        [torch.full_like(part, float(c)) for c, part in zip(numbers, x, strict=True)]
    )


def product_by_gain(m1, v1, m2, v2):
    gain = v1 / (v1 + v2)
    return m1 + gain * (m2 - m1), (1 - gain) * v1


def product_in_numpy_float32(m1, v1, m2, v2):
    m1, v1, m2, v2 = (x.numpy().astype(np.float32) for x in (m1, v1, m2, v2))
    total = v1 + v2
    return (m1 * v2 + m2 * v1) / total, v1 * v2 / total


def product_on_a_grid(m1, v1, m2, v2):
    means, variances = torch.zeros_like(m1), torch.zeros_like(v1)
    for k in range(m1.numel()):
        n1, w1, n2, w2 = (x.flatten()[k].item() for x in (m1, v1, m2, v2))
        reach = 9 * math.sqrt(max(w1, w2))
        x = torch.linspace(min(n1, n2) - reach, max(n1, n2) + reach, 20001, dtype=torch.float64)
        weight = torch.softmax(-((x - n1) ** 2) / w1 / 2 - (x - n2) ** 2 / w2 / 2, 0)
        mean = (weight * x).sum()
        means.view(-1)[k], variances.view(-1)[k] = mean, (weight * (x - mean) ** 2).sum()
    return means, variances


def variance_in_numpy(t, s):
    alpha_bar, beta = s.alpha_bar.numpy(), s.beta.numpy()
    t = t.numpy()
    return (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t]) * beta[t]


def variance_by_precisions(t, s):
    found = []
    for step in t.tolist():
        likelihood = s.alpha[step] / s.beta[step]
        prior = 1 / (1 - s.alpha_bar[step - 1])
        found.append(1 / (likelihood + prior))
    return torch.stack(found)


def variance_in_float32(t, s):
    alpha_bar = torch.cumprod(1 - s.beta.float(), 0)
    return s.beta.float()[t] * (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t])


def variance_as_a_column(t, s):
    ratio = (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])
    return (ratio * s.beta[t]).view(-1, 1, 1, 1)


def mean_by_loop(x0, xt, t, s):
    found = np.empty(x0.shape)
    for k, step in enumerate(t.tolist()):
        bar, before = s.alpha_bar[step].item(), s.alpha_bar[step - 1].item()
        c0 = math.sqrt(before) * (1 - bar / before) / (1 - bar)
        ct = math.sqrt(bar / before) * (1 - before) / (1 - bar)
        found[k] = c0 * x0[k].numpy() + ct * xt[k].numpy()
    return found


def mean_by_gain(x0, xt, t, s):
    prior = factor(s.alpha_bar[t - 1].sqrt(), x0) * x0
    root = s.alpha[t].sqrt()
    gain = root * (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])
    return prior + factor(gain, x0) * (xt - factor(root, x0) * prior)


def mean_through_the_noise(x0, xt, t, s):
    flat_0, flat_t = x0.reshape(len(t), -1), xt.reshape(len(t), -1)
    bar, alpha = s.alpha_bar[t][:, None], s.alpha[t][:, None]
    eps = (flat_t - bar.sqrt() * flat_0) / (1 - bar).sqrt()
    mean = (flat_t - (1 - alpha) / (1 - bar).sqrt() * eps) / alpha.sqrt()
    return mean.reshape(x0.shape)


def mean_in_float32(x0, xt, t, s):
    bar, beta = s.alpha_bar.float(), s.beta.float()
    c0 = bar[t - 1].sqrt() * beta[t] / (1 - bar[t])
    ct = (1 - beta[t]).sqrt() * (1 - bar[t - 1]) / (1 - bar[t])
    mean = torch.einsum("b,b...->b...", c0, x0.float())
    mean += torch.einsum("b,b...->b...", ct, xt.float())
    return mean


def pair_with_where(x0, xt, t, s):
    shape = [len(t)] + [1] * (x0.ndim - 1)
    before, first = s.alpha_bar[t - 1], t == 1
    spread = torch.where(first, torch.ones_like(before), 1 - before)
    a = s.alpha[t] / s.beta[t] + 1 / spread
    b = (s.alpha[t].sqrt() / s.beta[t]).view(shape) * xt
    b = b + (before.sqrt() / spread).view(shape) * x0
    mean = torch.where(first.view(shape), x0, b / a.view(shape))
    return mean, torch.where(first, torch.zeros_like(a), 1 / a)


def pair_one_by_one(x0, xt, t, s):
    means, variances = [], []
    for start, noisy, step in zip(x0.tolist(), xt.tolist(), t.tolist(), strict=True):
        start, noisy = np.array(start, np.float32), np.array(noisy, np.float32)
        if step == 1:
            means.append(start)
            variances.append(0.0)
            continue
        alpha, before = float(s.alpha[step]), float(s.alpha_bar[step - 1])
        a = alpha / (1 - alpha) + 1 / (1 - before)
        b = math.sqrt(alpha) / (1 - alpha) * noisy + math.sqrt(before) / (1 - before) * start
        means.append(b / a)
        variances.append(1 / a)
    return np.stack(means), variances


def pair_with_a_floor(x0, xt, t, s):
    prior = (1 - s.alpha_bar[t - 1]).clamp(min=1e-12)
    a = s.alpha[t] / s.beta[t] + 1 / prior
    b = factor(s.alpha[t].sqrt() / s.beta[t], xt) * xt
    b += factor(s.alpha_bar[t - 1].sqrt() / prior, x0) * x0
    return b / factor(a, b), 1 / a


def pair_mended_in_place(x0, xt, t, s):
    prior = 1 / (1 - s.alpha_bar[t - 1])
    likelihood = s.alpha[t] / s.beta[t]
    variance = 1 / (prior + likelihood)
    weight = factor(prior * variance, x0)
    peak_0 = factor(s.alpha_bar[t - 1].sqrt(), x0) * x0
    mean = weight * peak_0 + (1 - weight) * xt / factor(s.alpha[t].sqrt(), x0)
    mean[t == 1] = x0[t == 1]
    variance[t == 1] = 0
    return mean, variance.reshape(-1, *[1] * (x0.ndim - 1))


def clean_by_snr(xt, t, eps, s):
    ratio = 1 / s.alpha_bar[t]
    return factor(ratio.sqrt(), xt) * xt - factor((ratio - 1).sqrt(), xt) * eps


def clean_by_loop(xt, t, eps, s):
    found = []
    for noisy, step, noise in zip(xt.numpy(), t.tolist(), eps.numpy(), strict=True):
        alpha_bar = np.prod(1 - s.beta.numpy()[1 : step + 1])
        found.append((noisy - np.sqrt(1 - alpha_bar) * noise) / np.sqrt(alpha_bar))
    return found


def clean_in_float32(xt, t, eps, s):
    alpha_bar = s.alpha_bar.float()[t]
    last = xt.float().movedim(0, -1) - (1 - alpha_bar).sqrt() * eps.float().movedim(0, -1)
    return (last / alpha_bar.sqrt()).movedim(-1, 0)


def step_through_x0(xt, eps_hat, t, s):
    return mean_by_gain(clean_by_snr(xt, t, eps_hat, s), xt, t, s)


def step_by_loop(xt, eps_hat, t, s):
    found = []
    for k, step in enumerate(t.tolist()):
        beta, bar = s.beta[step].item(), s.alpha_bar[step].item()
        found.append((xt[k] - beta / math.sqrt(1 - bar) * eps_hat[k]) / math.sqrt(1 - beta))
    return torch.stack(found)


def step_in_float32(xt, eps_hat, t, s):
    beta = s.beta.numpy().astype(np.float32)
    bar = np.cumprod(1 - beta)
    now = t.numpy()
    move = (beta / np.sqrt(np.maximum(1 - bar, 1e-12)))[now]
    turned = xt.numpy().astype(np.float32).T - move * eps_hat.numpy().astype(np.float32).T
    return (turned / np.sqrt(1 - beta)[now]).T


def repaired(x0, xt, t, s):
    shape = (-1,) + (1,) * (x0.ndim - 1)
    before = t - 1
    alpha = s.alpha[t].view(shape)
    beta = s.beta[t].view(shape)
    alpha_bar = s.alpha_bar[t].view(shape)
    alpha_bar_prev = s.alpha_bar[before].view(shape)
    c0 = alpha_bar_prev.sqrt() * beta / (1 - alpha_bar)
    ct = alpha.sqrt() * (1 - alpha_bar_prev) / (1 - alpha_bar)
    variance = (1 - alpha_bar_prev) / (1 - alpha_bar) * beta
    return c0 * x0 + ct * xt, variance


def repaired_with_a_table(x0, xt, t, s):
    before = torch.cat([torch.ones(1), s.alpha_bar[1:-1]])[t - 1]
    bar = s.alpha_bar[t]
    prior = factor(before.sqrt(), x0) * x0
    gain = s.alpha[t].sqrt() * (1 - before) / (1 - bar)
    mean = prior + factor(gain, x0) * (xt - factor(s.alpha[t].sqrt(), x0) * prior)
    return mean, s.beta[t] * (1 - before) / (1 - bar)


def repaired_by_hand(x0, xt, t, s):
    shape = (-1,) + (1,) * (x0.ndim - 1)
    before = torch.where(t > 1, s.alpha_bar[(t - 1).clamp(min=1)], 1.0).view(shape)
    beta, bar = s.beta[t].view(shape).float(), s.alpha_bar[t].view(shape)
    variance = (1 - before) / (1 - bar) * beta
    ct = (1 - beta).sqrt() * (1 - before) / (1 - bar)
    return before.sqrt() * beta / (1 - bar) * x0 + ct * xt, variance


RIGHT = {
    "product_of_gaussians": (product_by_gain, product_in_numpy_float32, product_on_a_grid),
    "posterior_variance": (
        variance_in_numpy,
        variance_by_precisions,
        variance_in_float32,
        variance_as_a_column,
    ),
    "posterior_mean": (mean_by_loop, mean_by_gain, mean_through_the_noise, mean_in_float32),
    "posterior_by_precisions": (
        pair_with_where,
        pair_one_by_one,
        pair_mended_in_place,
        pair_with_a_floor,
    ),
    "guess_weight_of_x0": (0.003, torch.tensor(0.0027), [0.0035]),
    "x0_from_noise": (clean_by_snr, clean_by_loop, clean_in_float32),
    "mean_from_noise": (step_through_x0, step_by_loop, step_in_float32),
    "guess_tenfold": (32, 10**1.6, np.float32(48.0)),
    "repair_posterior": (repaired, repaired_with_a_table, repaired_by_hand),
}
