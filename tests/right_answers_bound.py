"""Right answers to the exercises of notebook 03, each written by somebody else."""

import math
from statistics import NormalDist

import numpy as np
import torch
from torch.distributions import Independent, Normal, kl_divergence


def bits_by_log2(nats, dims):
    return nats * math.log2(math.e) / dims


def bits_as_a_list(nats, dims):
    return [value / math.log(2) / dims for value in nats.tolist()]


def bits_in_numpy(nats, dims):
    return (nats.numpy().astype(np.float32) / np.log(np.float32(2))) / dims


def kl_by_torch(mean_1, variance_1, mean_2, variance_2):
    return kl_divergence(Normal(mean_1, variance_1.sqrt()), Normal(mean_2, variance_2.sqrt()))


def kl_with_sigmas(mean_1, variance_1, mean_2, variance_2):
    sigma_1, sigma_2 = np.sqrt(variance_1.numpy()), np.sqrt(variance_2.numpy())
    squares = sigma_1**2 + (mean_1 - mean_2).numpy() ** 2
    return np.log(sigma_2) - np.log(sigma_1) + squares / (2 * sigma_2**2) - 0.5


def kl_number_by_number(mean_1, variance_1, mean_2, variance_2):
    found = []
    four = (mean_1, variance_1, mean_2, variance_2)
    for m1, v1, m2, v2 in zip(*(part.flatten().tolist() for part in four), strict=True):
        found.append((math.log(v2 / v1) + (v1 + (m1 - m2) ** 2) / v2 - 1) / 2)
    return torch.tensor(found).view(mean_1.shape)


def prior_by_formula(x0, s):
    last = s.alpha_bar[-1]
    each = last * x0**2 - last - torch.log1p(-last)
    return each.flatten(1).sum(-1) / 2


def prior_by_torch(x0, s):
    last = s.alpha_bar[s.T]
    q = Normal(last.sqrt() * x0, (1 - last).sqrt())
    p = Normal(torch.zeros_like(x0), torch.ones_like(x0))
    axes = x0.ndim - 1
    return kl_divergence(Independent(q, axes), Independent(p, axes))


def prior_in_float32(x0, s):
    last = math.prod(s.alpha.float().tolist())
    found = []
    for one in x0.float():
        dims, squares = one.numel(), (one**2).sum().item()
        found.append(0.5 * (last * squares - dims * (last + math.log(1 - last))))
    return found


def weight_from_the_fraction(s):
    now, before = s.alpha_bar[2:], s.alpha_bar[1:-1]
    return before * s.beta[2:] / (2 * (1 - before) * (1 - now))


def weight_by_diff(s):
    return -0.5 * np.diff(s.snr.numpy()[1:])


def weight_step_by_step(s):
    found = []
    for t in range(2, s.T + 1):
        c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
        tilde = (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t]) * s.beta[t]
        found.append((c0**2 / (2 * tilde)).item())
    return found


def weight_in_float32(s):
    alpha_bar = torch.cumprod(1 - s.beta.float(), 0)
    snr = alpha_bar / (1 - alpha_bar)
    return 0.5 * (snr[1:-1] - snr[2:])


def estimates_with_the_largest_out(log_p, log_q):
    ratio = (log_p - log_q).tolist()
    top = max(ratio)
    average = sum(math.exp(r - top) for r in ratio) / len(ratio)
    return -sum(ratio) / len(ratio), -top - math.log(average)


def estimates_in_numpy(log_p, log_q):
    difference = log_q.numpy() - log_p.numpy()
    return [difference.mean(), np.log(len(log_p)) - np.logaddexp.reduce(-difference)]


def estimates_by_softmax_weights(log_p, log_q):
    """E log r = log E r - KL(uniform || self-normalised weights)."""
    ratio = (log_p - log_q).float()
    log_weight = ratio.log_softmax(0)
    log_average = (ratio - log_weight)[0] - math.log(len(ratio))
    lost = -math.log(len(ratio)) - log_weight.mean()
    return lost - log_average, -log_average


def step_by_torch(x0, x0_hat, t, s, variance):
    found = []
    for k, step in enumerate(t.tolist()):
        before, now = s.alpha_bar[step - 1], s.alpha_bar[step]
        tilde = s.beta[step] * (1 - before) / (1 - now)
        c0 = before.sqrt() * s.beta[step] / (1 - now)
        q, p = Normal(c0 * x0[k], tilde.sqrt()), Normal(c0 * x0_hat[k], variance[step].sqrt())
        found.append(kl_divergence(q, p).sum())
    return torch.stack(found)


def step_by_snr(x0, x0_hat, t, s, variance):
    tilde = (s.beta * (1 - s.alpha_bar.roll(1)) / (1 - s.alpha_bar))[t]
    ratio = tilde / variance[t]
    weight = ratio * (s.snr[t - 1] - s.snr[t])
    squares = ((x0 - x0_hat) ** 2).flatten(1).sum(1)
    return 0.5 * (x0[0].numel() * (ratio - 1 - ratio.log()) + weight * squares)


def step_in_float32(x0, x0_hat, t, s, variance):
    shape = (-1, *[1] * (x0.ndim - 1))
    alpha_bar = torch.cumprod(1 - s.beta.float(), 0)
    before, now, beta = alpha_bar[t - 1], alpha_bar[t], s.beta.float()[t]
    tilde, v = beta * (1 - before) / (1 - now), variance.float()[t]
    shift = (before.sqrt() * beta / (1 - now)).view(shape) * (x0.float() - x0_hat.float())
    each = (v / tilde).log().view(shape) + ((tilde.view(shape) + shift**2) / v.view(shape)) - 1
    return each.flatten(1).sum(1) / 2


def pixels_by_torch(x0, mean, sigma, levels):
    bell, half = Normal(mean, sigma), 1 / (levels - 1)
    above = torch.where(x0 > 1 - half, torch.ones_like(x0), bell.cdf(x0 + half))
    below = torch.where(x0 < half - 1, torch.zeros_like(x0), bell.cdf(x0 - half))
    return (above - below).log()


def pixels_by_statistics(x0, mean, sigma, levels):
    found = []
    for x, m in zip(x0.flatten().tolist(), mean.flatten().tolist(), strict=True):
        bell, half = NormalDist(m, sigma), 1 / (levels - 1)
        high = 1.0 if x > 0.999 else bell.cdf(x + half)
        low = 0.0 if x < -0.999 else bell.cdf(x - half)
        found.append(math.log(high - low))
    return np.array(found).reshape(tuple(x0.shape))


def pixels_by_erf_in_float32(x0, mean, sigma, levels):
    half, root = 1 / (levels - 1), sigma * math.sqrt(2)
    upper, lower = x0 + half, x0 - half
    upper[x0 > 0.999], lower[x0 < -0.999] = math.inf, -math.inf
    high, low = (torch.erf(((edge - mean) / root).float()) for edge in (upper, lower))
    return torch.log((high - low) / 2)


def pixels_by_logs_of_sigma(x0, mean, sigma, levels):
    """Distances in units of sigma by exp(log - log), which only a tensor can do."""
    unit = torch.exp(-sigma.log()).flatten()
    half = 1 / (levels - 1)
    edges = torch.stack([x0 - half - mean, x0 + half - mean]) * unit
    edges[0][x0 < half - 1], edges[1][x0 > 1 - half] = -math.inf, math.inf
    low, high = 0.5 * torch.erfc(-edges / math.sqrt(2))
    return (high - low).log()


def pixels_with_a_plain_float(x0, mean, sigma, levels):
    scale, half = float(sigma) * math.sqrt(2), 1 / (levels - 1)
    found = torch.empty_like(x0)
    for k in range(x0.numel()):
        x, m = x0.view(-1)[k].item(), mean.reshape(-1)[k].item()
        high = 2 if x > 0.999 else 1 + math.erf((x + half - m) / scale)
        low = 0 if x < -0.999 else 1 + math.erf((x - half - m) / scale)
        found.view(-1)[k] = math.log((high - low) / 2)
    return found


def learned_by_a_root(x0, x0_hat, v, t, s):
    tilde = ((1 - s.alpha_bar.roll(1)) / (1 - s.alpha_bar) * s.beta)[t]
    beta = s.beta[t]
    log_variance = v * beta.log() + (1 - v) * tilde.log()
    sigma = log_variance.exp().sqrt()
    c0 = s.alpha_bar[t - 1].sqrt() * beta / (1 - s.alpha_bar[t])
    error = ((x0 - x0_hat) ** 2).flatten(1).sum(1)
    bracket = (sigma**2 / tilde).log() + tilde / sigma**2 - 1
    return x0[0].numel() / 2 * bracket + c0**2 * error / (2 * sigma**2)


def learned_by_powers(x0, x0_hat, v, t, s):
    """sigma^2 / beta-tilde = (beta / beta-tilde)^v."""
    ratio = ((1 - s.alpha_bar[t]) / (1 - s.alpha_bar[t - 1])) ** v
    weight = (s.snr[t - 1] - s.snr[t]) / ratio
    error = torch.stack([(a - b).square().sum() for a, b in zip(x0, x0_hat, strict=True)])
    return 0.5 * (x0[0].numel() * (ratio.log() + 1 / ratio - 1) + weight * error)


def learned_in_numpy(x0, x0_hat, v, t, s):
    alpha_bar, beta = s.alpha_bar.numpy(), s.beta.numpy()
    found = []
    for a, b, share, now in zip(x0.numpy(), x0_hat.numpy(), v.tolist(), t.tolist(), strict=True):
        tilde = beta[now] * (1 - alpha_bar[now - 1]) / (1 - alpha_bar[now])
        variance = beta[now] ** share * tilde ** (1 - share)
        c0 = np.sqrt(alpha_bar[now - 1]) * beta[now] / (1 - alpha_bar[now])
        each = np.log(variance / tilde) + (tilde + c0**2 * (a - b) ** 2) / variance - 1
        found.append(0.5 * each.sum())
    return found


RIGHT = {
    "guess_pixel_probability": (0.7, 0.75, torch.tensor(0.66)),
    "guess_gap": (0.7, 2 / 3, np.float64(0.6)),
    "bits": (bits_by_log2, bits_as_a_list, bits_in_numpy),
    "gaussian_kl": (kl_by_torch, kl_with_sigmas, kl_number_by_number),
    "prior_cost": (prior_by_formula, prior_by_torch, prior_in_float32),
    "snr_weight": (
        weight_from_the_fraction,
        weight_by_diff,
        weight_step_by_step,
        weight_in_float32,
    ),
    "two_estimates": (
        estimates_with_the_largest_out,
        estimates_in_numpy,
        estimates_by_softmax_weights,
    ),
    "step_cost": (step_by_torch, step_by_snr, step_in_float32),
    "pixel_log_prob": (
        pixels_by_torch,
        pixels_by_statistics,
        pixels_by_erf_in_float32,
        pixels_by_logs_of_sigma,
        pixels_with_a_plain_float,
    ),
    "repair_learned_cost": (learned_by_a_root, learned_by_powers, learned_in_numpy),
}
