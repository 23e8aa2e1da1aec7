"""Right answers to the exercises of notebook 04, each written by somebody else."""

import numpy as np
import torch
from einops import einsum, rearrange, reduce

from diffedu.diffusion import exact


def column(x, like):
    return x.to(like).reshape(-1, *[1] * (like.ndim - 1))


def noise_in_numpy(xt, t, x0, s):
    alpha_bar = s.alpha_bar.numpy()[t.numpy()].reshape(-1, *[1] * (xt.ndim - 1))
    return (xt.numpy() - np.sqrt(alpha_bar) * x0.numpy()) / np.sqrt(1 - alpha_bar)


def noise_one_by_one(xt, t, x0, s):
    found = []
    for noisy, step, clean in zip(xt, t.tolist(), x0, strict=True):
        alpha_bar = s.alpha_bar[step].item()
        found.append((noisy - clean * alpha_bar**0.5) * (1 - alpha_bar) ** -0.5)
    return torch.stack(found)


def noise_by_snr(xt, t, x0, s):
    snr = column(s.snr[t], xt)
    return (1 + snr).sqrt() * xt - snr.sqrt() * x0


def noise_in_float32(xt, t, x0, s):
    alpha_bar = column(s.alpha_bar.float()[t], xt.float())
    return (xt.float() - alpha_bar.sqrt() * x0.float()) / (1 - alpha_bar).sqrt()


def score_in_place(eps_hat, t, s):
    score = eps_hat.clone()
    score /= column((1 - s.alpha_bar[t]).sqrt(), score)
    return score.neg_()


def score_one_by_one(eps_hat, t, s):
    pairs = zip(eps_hat.tolist(), t.tolist(), strict=True)
    return [(np.array(e) / -((1 - s.alpha_bar[k].item()) ** 0.5)).tolist() for e, k in pairs]


def score_by_conditional(eps_hat, t, s):
    """(4.9) in the middle: any x_0 and the x_t that goes with it."""
    alpha_bar = column(s.alpha_bar[t], eps_hat)
    x0 = torch.zeros_like(eps_hat)
    xt = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps_hat
    return (alpha_bar.sqrt() * x0 - xt) / (1 - alpha_bar)


def score_with_einsum(eps_hat, t, s):
    return -einsum((1 - s.alpha_bar[t]).rsqrt(), eps_hat, "b, b ... -> b ...")


def velocity_by_angle(x0, eps, t, s):
    angle = column(torch.arccos(s.alpha_bar[t].sqrt()), x0)
    return angle.cos() * eps - angle.sin() * x0


def velocity_in_numpy(x0, eps, t, s):
    alpha_bar = s.alpha_bar.numpy()[t]
    parts = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    signal, noise = (np.expand_dims(p, tuple(range(1, x0.ndim))) for p in parts)
    return signal * eps.numpy() - noise * x0.numpy()


def velocity_in_float32(x0, eps, t, s):
    alpha_bar = column(s.alpha_bar.float()[t], x0.float())
    return alpha_bar.sqrt() * eps.float() - (1 - alpha_bar).sqrt() * x0.float()


def undo_then_solve(xt, t, v, s):
    alpha_bar = column(s.alpha_bar[t], xt)
    x0 = alpha_bar.sqrt() * xt - (1 - alpha_bar).sqrt() * v
    return x0, (xt - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()


def undo_by_matrix(xt, t, v, s):
    pairs = []
    for one, other, alpha_bar in zip(xt, v, s.alpha_bar[t].tolist(), strict=True):
        c, n = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
        forward = torch.tensor([[c, n], [-n, c]], dtype=torch.float64)  # of (x0, eps)
        both = torch.stack([one.flatten(), other.flatten()])
        pairs.append(torch.linalg.solve(forward, both).reshape(2, *one.shape))
    return torch.stack(pairs, 1).unbind(0)


def undo_as_complex_numbers(xt, t, v, s):
    alpha_bar = s.alpha_bar[t]
    turn = column(torch.complex(alpha_bar.sqrt(), (1 - alpha_bar).sqrt()), torch.complex(xt, v))
    both = turn * torch.complex(xt, v)
    return both.real, both.imag


def undo_in_float32(xt, t, v, s):
    alpha_bar = column(s.alpha_bar.float()[t], xt.float())
    signal, noise = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    return [signal * xt.float() - noise * v.float(), noise * xt.float() + signal * v.float()]


def tweedie_through_eps(xt, t, score, s):
    alpha_bar = column(s.alpha_bar[t], xt)
    eps_hat = -(1 - alpha_bar).sqrt() * score
    return (xt - (1 - alpha_bar).sqrt() * eps_hat) / alpha_bar.sqrt()


def tweedie_in_numpy(xt, t, score, s):
    shape = (-1,) + (1,) * (xt.ndim - 1)
    alpha_bar = s.alpha_bar.numpy()[t.numpy()].reshape(shape)
    return (xt.numpy() + score.numpy() * (1 - alpha_bar)) * alpha_bar**-0.5


def tweedie_in_float32(xt, t, score, s):
    alpha_bar = column(s.alpha_bar[t].float(), xt.float())
    return xt.float() / alpha_bar.sqrt() + (1 - alpha_bar) / alpha_bar.sqrt() * score.float()


def weight_in_numpy(t, s, variance):
    beta, alpha, alpha_bar = (x.numpy()[t.numpy()] for x in (s.beta, s.alpha, s.alpha_bar))
    return beta**2 / (2 * variance.numpy()[t.numpy()] * alpha * (1 - alpha_bar))


def weight_step_by_step(t, s, variance):
    found, alpha_bar = {}, 1.0
    for k in range(1, s.T + 1):
        alpha_bar *= 1 - s.beta[k].item()
        below = variance[k].item() * s.alpha[k].item() * (1 - alpha_bar)
        found[k] = 0.5 * s.beta[k].item() ** 2 / below
    return [found[k] for k in t.tolist()]


def weight_from_that_of_x0(t, s, variance):
    c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
    return c0**2 / (2 * variance[t]) / s.snr[t]


def weight_in_float32(t, s, variance):
    beta, alpha, alpha_bar = (x.float()[t] for x in (s.beta, s.alpha, s.alpha_bar))
    return beta * beta / (2 * variance[t].float() * alpha * (1 - alpha_bar))


def fair_in_numpy(probability, t):
    return np.reciprocal(probability.numpy()[t] * (probability.numel() - 1))


def fair_as_a_ratio(probability, t):
    uniform = torch.ones_like(probability[1:]) / len(probability[1:])
    return (uniform / probability[1:])[t - 1]


def fair_in_float32(probability, t):
    T = len(probability) - 1
    return probability.float().index_select(0, t).mul(T).reciprocal()


def loss_with_einops(model, x0, t, eps, s):
    alpha_bar = column(s.alpha_bar[t], x0)
    xt = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps
    return reduce((model(xt, t) - eps).square(), "b ... -> b", "mean")


def loss_one_by_one(model, x0, t, eps, s):
    found = []
    for k in range(len(x0)):
        one = slice(k, k + 1)
        alpha_bar = s.alpha_bar[t[one]].item()
        xt = alpha_bar**0.5 * x0[one] + (1 - alpha_bar) ** 0.5 * eps[one]
        found.append(torch.nn.functional.mse_loss(model(xt, t[one]), eps[one]))
    return torch.stack(found)


def loss_in_float32(model, x0, t, eps, s):
    alpha_bar = column(s.alpha_bar[t], x0).float()
    xt = alpha_bar.sqrt() * x0.float() + (1 - alpha_bar).sqrt() * eps.float()
    off = torch.nn.functional.mse_loss(model(xt, t).float(), eps.float(), reduction="none")
    return off.sum(dim=tuple(range(1, off.ndim))) / off[0].numel()


def loss_by_norm(model, x0, t, eps, s):
    signal, noise = s.alpha_bar[t].sqrt(), (1 - s.alpha_bar[t]).sqrt()
    xt = einsum(signal, x0, "b, b ... -> b ...") + einsum(noise, eps, "b, b ... -> b ...")
    off = rearrange(eps - model(xt, t), "b ... -> b (...)")
    return torch.linalg.vector_norm(off, dim=1) ** 2 / off.shape[1]


def mean_of_the_package(points, xt, t, s):
    return exact.x0_mean(exact.points(points), xt, t, s)


def mean_one_by_one(points, xt, t, s):
    found = []
    for x, step in zip(xt, t, strict=True):
        alpha_bar = s.alpha_bar[step]
        logs = torch.stack([-((x - alpha_bar.sqrt() * p) ** 2).sum() for p in points])
        logs = logs / (2 * (1 - alpha_bar))
        weight = (logs - logs.max()).exp()
        found.append(sum(w * p for w, p in zip(weight / weight.sum(), points, strict=True)))
    return torch.stack(found)


def mean_by_cdist(points, xt, t, s):
    """Everything divided by the root of alpha_bar, so that the noise has the variance 1/SNR."""
    distance = torch.cdist(xt / s.alpha_bar[t].sqrt()[:, None], points)
    return torch.softmax(-0.5 * s.snr[t][:, None] * distance**2, -1) @ points


def mean_by_products(points, xt, t, s):
    """|x|^2 is the same for all points and drops out."""
    alpha_bar, x, p = s.alpha_bar.numpy()[t.numpy()][:, None], xt.numpy(), points.numpy()
    logs = np.sqrt(alpha_bar) * (x @ p.T) - alpha_bar * (p**2).sum(1) / 2
    logs = logs / (1 - alpha_bar)
    weight = np.exp(logs - logs.max(1, keepdims=True))
    return weight @ p / weight.sum(1, keepdims=True)


RIGHT = {
    "guess_weight_fall": (100, 80.0, [120]),
    "guess_x0_error": ([0.03, 1.5], (0.04, 2), np.array([0.0342, 1.57])),
    "noise_from_x0": (noise_in_numpy, noise_one_by_one, noise_by_snr, noise_in_float32),
    "score_from_noise": (
        score_in_place,
        score_one_by_one,
        score_by_conditional,
        score_with_einsum,
    ),
    "velocity": (velocity_by_angle, velocity_in_numpy, velocity_in_float32),
    "undo_velocity": (undo_then_solve, undo_by_matrix, undo_as_complex_numbers, undo_in_float32),
    "x0_from_score": (
        tweedie_through_eps,
        tweedie_in_numpy,
        tweedie_in_float32,
    ),
    "noise_weight": (
        weight_in_numpy,
        weight_step_by_step,
        weight_from_that_of_x0,
        weight_in_float32,
    ),
    "fair_weight": (fair_in_numpy, fair_as_a_ratio, fair_in_float32),
    "simple_loss": (loss_with_einops, loss_one_by_one, loss_in_float32, loss_by_norm),
    "repair_training_loss": (loss_with_einops, loss_one_by_one, loss_in_float32),
    "best_guess": (mean_of_the_package, mean_one_by_one, mean_by_cdist, mean_by_products),
}
