"""The deterministic way, down and up, against scalar loops, scipy's solver and an exact flow."""

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import integrate

from diffedu.diffusion.exact import Mixture, eps_model, gaussian, sample
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.ode import encode, ode_step
from diffedu.diffusion.samplers import State, ddim, ddim_step, strided_times
from diffedu.diffusion.schedules import cosine, linear, sigmoid

ROOT = Path(__file__).parent.parent
S = linear(60)
WAYS = [(60, 0), (1, 0), (7, 6), (40, 13), (0, 1), (0, 60), (13, 40), (59, 60), (22, 22)]


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def alpha_bar(s, t):
    return math.prod(1 - beta for beta in s.beta[1 : t + 1].tolist())


def noise_to_signal(s, t):
    """u = sqrt((1 - alpha_bar) / alpha_bar)."""
    return math.sqrt((1 - alpha_bar(s, t)) / alpha_bar(s, t))


# Each sample has a t of its own, so a step takes all the ways at once.
NOW, NEXT = (torch.tensor(times) for times in zip(*WAYS, strict=True))


@pytest.mark.identity("5.9")
@pytest.mark.parametrize("s", [S, cosine(60), sigmoid(60)], ids=["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("shape", [(), (2,), (3, 4, 5)], ids=str)
def test_in_the_coordinates_y_and_u_a_step_is_eulers(s, shape):
    xt, eps_hat = draw(len(WAYS), *shape, seed=1), draw(len(WAYS), *shape, seed=2)
    after = ode_step(xt, eps_hat, NOW, NEXT, s)
    for k, (t, t_next) in enumerate(WAYS):
        y = xt[k] / math.sqrt(alpha_bar(s, t))
        y_next = y + (noise_to_signal(s, t_next) - noise_to_signal(s, t)) * eps_hat[k]
        expected = math.sqrt(alpha_bar(s, t_next)) * y_next
        torch.testing.assert_close(after[k], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.identity("5.9")
@pytest.mark.parametrize("s", [S, cosine(60), sigmoid(60)], ids=["linear", "cosine", "sigmoid"])
def test_downwards_a_step_is_ddim_without_noise(s):
    t = torch.tensor([60, 60, 59, 31, 2, 1])
    t_next = torch.tensor([0, 59, 12, 30, 1, 0])
    xt, eps_hat = draw(6, 2, 3, seed=3), draw(6, 2, 3, seed=4)
    expected = ddim_step(xt, eps_hat, t, t_next, s, 0.0, None)
    after = ode_step(xt, eps_hat, t, t_next, s)
    torch.testing.assert_close(after, expected, rtol=1e-9, atol=1e-9)


def test_from_clean_data_a_step_with_the_true_noise_is_the_jump_to_t():
    x0, eps, t = draw(4, 3, 5, seed=5), draw(4, 3, 5, seed=6), torch.tensor([1, 9, 33, 60])
    xt = ode_step(x0, eps, torch.zeros_like(t), t, S)
    torch.testing.assert_close(xt, q_sample(x0, t, eps, S), rtol=1e-12, atol=1e-12)


def test_a_step_and_the_same_step_back_lead_nowhere():
    xt, eps_hat = draw(len(WAYS), 4, seed=7), draw(len(WAYS), 4, seed=8)
    there = ode_step(xt, eps_hat, NOW, NEXT, S)
    torch.testing.assert_close(ode_step(there, eps_hat, NEXT, NOW, S), xt, rtol=1e-9, atol=1e-9)
    same = NOW == NEXT
    torch.testing.assert_close(there[same], xt[same], rtol=1e-15, atol=0)
    assert (there[~same] - xt[~same]).abs().min() > 1e-4


def test_two_steps_with_the_same_prediction_are_one():
    xt, eps_hat = draw(5, 2, seed=9), draw(5, 2, seed=10)
    first, second, third = torch.tensor([[3, 0, 60, 9, 11], [20, 1, 8, 5, 0], [44, 60, 0, 50, 11]])
    halfway = ode_step(xt, eps_hat, first, second, S)
    torch.testing.assert_close(
        ode_step(halfway, eps_hat, second, third, S),
        ode_step(xt, eps_hat, first, third, S),
        rtol=1e-9,
        atol=1e-9,
    )


def test_a_float32_step_is_the_rounded_float64_one():
    xt, eps_hat = draw(len(WAYS), 3, seed=11), draw(len(WAYS), 3, seed=12)
    expected = ode_step(xt, eps_hat, NOW, NEXT, S).float()
    after = ode_step(xt.float(), eps_hat.float(), NOW, NEXT, S)
    torch.testing.assert_close(after, expected, rtol=1e-5, atol=1e-4)


def test_gradients_pass_through_a_step():
    xt, eps_hat = draw(2, 3, seed=13).requires_grad_(), draw(2, 3, seed=14).requires_grad_()
    t, t_next = torch.tensor([5, 30]), torch.tensor([17, 2])
    assert torch.autograd.gradcheck(lambda x, e: ode_step(x, e, t, t_next, S), (xt, eps_hat))


def bent(x, t):
    """A made-up model that looks at x and at t."""
    return torch.sin(2 * x) + t.view(-1, *(1,) * (x.ndim - 1)).to(x) / 50


@pytest.mark.parametrize("steps", [1, 7, 60])
def test_encoding_is_a_loop_of_eulers_steps_upwards(steps):
    x0 = draw(3, 2, 5, seed=15)
    states = list(encode(bent, x0, S, steps))
    assert [state.t for state in states] == strided_times(60, steps).tolist()
    x = x0.clone()
    for now, after in pairwise(states):
        torch.testing.assert_close(now.xt, x, rtol=1e-9, atol=1e-9)
        eps_hat = torch.sin(2 * x) + max(now.t, 1) / 50  # no model knows t = 0
        torch.testing.assert_close(now.eps_hat, eps_hat, rtol=1e-9, atol=1e-9)
        root, noise = math.sqrt(alpha_bar(S, now.t)), math.sqrt(1 - alpha_bar(S, now.t))
        x0_hat = (x - noise * eps_hat) / root if now.t > 0 else x0
        torch.testing.assert_close(now.x0_hat, x0_hat, rtol=1e-9, atol=1e-9)
        stride = noise_to_signal(S, after.t) - noise_to_signal(S, now.t)
        x = math.sqrt(alpha_bar(S, after.t)) * (x / root + stride * eps_hat)
    last = states[-1]
    torch.testing.assert_close(last.xt, x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(last.x0_hat, states[-2].x0_hat, rtol=0, atol=0)
    assert last.eps_hat is None


def test_encoding_draws_no_noise_and_leaves_the_data_alone():
    x0 = draw(4, 3, seed=16)
    before = x0.clone()
    first, again = (list(encode(bent, x0, S, 9))[-1] for _ in range(2))
    assert isinstance(first, State)
    torch.testing.assert_close(first.xt, again.xt, rtol=0, atol=0)
    torch.testing.assert_close(x0, before, rtol=0, atol=0)


PLAIN = """
import torch
from diffedu.diffusion.ode import encode
from diffedu.diffusion.schedules import linear
x0 = torch.ones(2, 3, requires_grad=True)
states = list(encode(lambda x, t: x.sin(), x0, linear(30), 3))
print([state.xt.requires_grad for state in states], torch.is_grad_enabled())
"""


@pytest.mark.slow
def test_encoding_keeps_no_gradients():
    """In a plain process: the shape checker of the tests hides from torch what a generator is."""
    command = [sys.executable, "-c", PLAIN]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    # the first State holds the reader's own x0
    assert finished.stdout == "[True, False, False, False] True\n", finished.stderr


def test_encoding_asks_the_model_once_a_step_and_only_when_the_state_is_wanted():
    asked = []

    def model(x, t):
        asked.append(t.tolist())
        return bent(x, t)

    states = encode(model, draw(2, 3, seed=17), S, steps=4)
    assert asked == []
    next(states)
    assert asked == [[1, 1]]
    assert len(list(states)) == 4
    assert asked == [[1, 1], [15, 15], [30, 30], [45, 45]]


def test_data_of_one_gaussian_is_encoded_by_stretching_it_to_the_noised_width():
    mean, sigma = 0.4, 1.5
    x0 = draw(50, 1, seed=18)
    for T, allowed in [(40, 0.08), (200, 0.016)]:
        s = linear(T)
        model = eps_model(gaussian(mean, sigma), s)
        signal = math.sqrt(alpha_bar(s, T))
        width = math.sqrt(signal**2 * sigma**2 + 1 - signal**2)
        exact = signal * mean + width * (x0 - mean) / sigma  # no two paths cross, in one dimension
        xT = list(encode(model, x0, s, T))[-1].xt
        assert (xT - exact).abs().max() < allowed


BROAD = Mixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[-1.0, 0.5], [0.8, -0.4]], dtype=torch.float64),
    torch.tensor([0.9, 0.6], dtype=torch.float64),
)


def eps_hat_at(u, y):
    """The best eps of BROAD in the coordinates u and y = x / sqrt(alpha_bar), for one point."""
    weight, mean, sigma = (part.numpy() for part in (BROAD.weight, BROAD.mean, BROAD.sigma))
    variance = sigma**2 + u**2
    log_p = np.log(weight / variance) - ((y - mean) ** 2).sum(1) / (2 * variance)
    p = np.exp(log_p - log_p.max())
    return u * (p / p.sum() / variance) @ (y - mean)


def test_encoding_follows_the_curve_of_scipys_solver():
    x0, s = sample(BROAD, 4, torch.Generator().manual_seed(19)), linear(300)
    encoded = {state.t: state.xt for state in encode(eps_model(BROAD, s), x0, s, 300)}
    for t in (30, 150, 300):
        for start, end in zip(x0, encoded[t], strict=True):
            span = (0, noise_to_signal(s, t))
            y = integrate.solve_ivp(eps_hat_at, span, start.numpy(), rtol=1e-8, atol=1e-8).y[:, -1]
            np.testing.assert_allclose(end, math.sqrt(alpha_bar(s, t)) * y, atol=0.03)


@pytest.mark.identity("5.10")
def test_there_and_back_leads_to_the_data_with_an_error_that_falls_as_one_over_the_steps():
    x0, s = sample(BROAD, 200, torch.Generator().manual_seed(20)), linear(100)
    model, error = eps_model(BROAD, s), []
    for steps in (25, 50, 100):
        xT = list(encode(model, x0, s, steps))[-1].xt
        back = list(ddim(model, xT, s, steps))[-1].xt
        error.append((back - x0).norm(dim=1).mean().item())
    assert error[-1] < 0.06
    for coarse, fine in pairwise(error):
        assert 1.7 < coarse / fine < 2.3
