"""The loops of the samplers: which times they visit, what they ask, add, clip, and yield."""

import pytest
import torch

from diffedu.diffusion.exact import eps_model, points
from diffedu.diffusion.gaussian import fixed_large, fixed_small, posterior, x0_from_eps
from diffedu.diffusion.samplers import (
    ddim,
    ddim_step,
    ddpm,
    ddpm_step,
    ddpm_strided,
    strided_times,
)
from diffedu.diffusion.schedules import cosine, linear

T, STEPS = 30, 7
S = linear(T)
VARIANCE = {"fixed_small": fixed_small, "fixed_large": fixed_large}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def network(x, t):
    t = t.double().view(-1, 1, 1, 1)
    return 0.7 * torch.tanh(x) + 0.2 * torch.sin(3 * x.flip(-1)) + 0.02 * t


def start(seed=0):
    return draw(3, 2, 4, 5, seed=seed)


SAMPLERS = {
    "ddpm": lambda model, x, s, **kw: ddpm(model, x, s, fixed_large(s), **kw),
    "ddim": lambda model, x, s, **kw: ddim(model, x, s, STEPS, 0.5, **kw),
    "ddpm_strided": lambda model, x, s, **kw: ddpm_strided(model, x, s, STEPS, **kw),
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


def visited(sampler, t):
    """The times that a sampler from t should visit, without the package."""
    if sampler is SAMPLERS["ddpm"]:
        return list(range(t, -1, -1))
    return [round(t * k / STEPS) for k in range(STEPS, -1, -1)]


@every_sampler
@pytest.mark.parametrize("t", [None, 1 + STEPS, 19])
def test_the_model_is_asked_at_the_visited_times_and_nowhere_else(sampler, t):
    asked = []

    def model(x, t):
        assert t.dtype == torch.int64 and t.shape == (3,)
        asked.append(t.tolist())
        return network(x, t)

    states = list(sampler(model, start(), S, generator=seeded(1), t=t))
    expected = visited(sampler, t or T)
    assert [state.t for state in states] == expected
    assert asked == [[t] * 3 for t in expected[:-1]]


@every_sampler
@pytest.mark.parametrize("clip", [None, lambda x0_hat: x0_hat.clamp(-1, 1)])
def test_a_state_holds_what_the_model_says_at_its_own_x_and_t(sampler, clip):
    *states, last = sampler(network, start(), S, generator=seeded(1), clip=clip)
    for state in states:
        alpha_bar = S.alpha_bar[state.t].item()
        signal, noise = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
        torch.testing.assert_close(signal * state.x0_hat + noise * state.eps_hat, state.xt)
        said = network(state.xt, torch.full((3,), state.t))
        x0_said = (state.xt - noise * said) / signal
        expected = x0_said if clip is None else x0_said.clip(-1, 1)
        # ddpm_strided multiplies its alpha_bar together again, which costs a digit or two
        torch.testing.assert_close(state.x0_hat, expected, rtol=1e-9, atol=1e-9)
    assert (last.t, last.eps_hat) == (0, None)
    torch.testing.assert_close(last.x0_hat, last.xt, rtol=0, atol=0)


@every_sampler
def test_the_clip_is_applied_to_x0_hat_and_never_to_x_t(sampler):
    clipped = list(
        sampler(network, 3 * start(), S, generator=seeded(1), clip=lambda x: x.clamp(-1, 1))
    )
    assert all(state.x0_hat.abs().max() <= 1 for state in clipped[:-1])
    assert all(state.xt.abs().max() > 1.5 for state in clipped[: len(clipped) // 2])
    free = list(sampler(network, 3 * start(), S, generator=seeded(1)))
    assert all(state.x0_hat.abs().max() > 1.5 for state in free[:-1])


@every_sampler
def test_a_sampler_is_lazy(sampler):
    asked = []

    def model(x, t):
        asked.append(int(t[0]))
        return network(x, t)

    states = sampler(model, start(), S, generator=seeded(1))
    assert asked == []
    next(states)
    assert asked == [T]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ddpm(network, start(), S, S.beta[1:], generator=seeded(0)), "variance: expected"),
        (lambda: ddpm(network, start(), S, S.beta, generator=seeded(0), t=31), "t: expected 1..30"),
        (lambda: ddim(network, start(), S, 31), "steps: expected 1..30, got 31"),
        (lambda: ddim(network, start(), S, 7, t=5), "steps: expected 1..5, got 7"),
        (lambda: ddim(network, start(), S, 7, 1.5), "eta: expected 0 <= eta <= 1, got 1.5"),
        (lambda: ddim(network, start(), S, 7, 0.5), "generator: expected a torch.Generator"),
        (lambda: ddim(network, start() / 0, S, 7), "xT: expected finite values"),
        (lambda: ddpm_strided(network, start(), S, 0, generator=seeded(0)), "steps: expected 1.."),
    ],
)
def test_a_bad_argument_is_refused_at_the_call_and_not_at_the_first_step(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@every_sampler
def test_the_same_seed_gives_the_same_samples_and_another_seed_others(sampler):
    first, again, other = (
        list(sampler(network, start(), S, generator=seeded(seed)))[-1].xt for seed in (1, 1, 2)
    )
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert (other - first).abs().min() > 1e-6


@every_sampler
@pytest.mark.parametrize("x", [start().float(), start().unsqueeze(-1), start()[:2, 0, 0]])
def test_shape_and_dtype_of_x_are_kept(sampler, x):
    for state in sampler(lambda x, t: 0.5 * x, x, S, generator=seeded(1)):
        assert state.xt.shape == state.x0_hat.shape == x.shape
        assert state.xt.dtype == state.x0_hat.dtype == x.dtype


@pytest.mark.parametrize("name", VARIANCE)
def test_ancestral_sampling_from_any_t_is_a_loop_of_posterior_draws(name):
    variance, t, g = VARIANCE[name](S), 12, seeded(2)
    *_, last = ddpm(network, start(), S, variance, generator=seeded(2), t=t)
    x = start()
    for step in range(t, 0, -1):
        alpha_bar = (1 - S.beta[1 : step + 1]).prod().item()
        eps_hat = network(x, torch.full((3,), step))
        x0_hat = (x - (1 - alpha_bar) ** 0.5 * eps_hat) / alpha_bar**0.5
        mean, _ = posterior(x0_hat, x, torch.full((3,), step), S)
        z = torch.randn(x.shape, generator=g, dtype=x.dtype) if step > 1 else 0
        x = mean + float(variance[step]) ** 0.5 * z
    torch.testing.assert_close(last.xt, x, rtol=1e-9, atol=1e-9)


@pytest.mark.identity("5.7")
@pytest.mark.parametrize("s", [linear(40), cosine(40), linear(1000)], ids=lambda s: str(s.T))
def test_ddim_with_eta_1_from_t_to_the_step_before_is_ddpm_with_beta_tilde(s):
    t = torch.arange(1, s.T + 1)
    xt, eps_hat, noise = (draw(s.T, 2, 3, seed=seed) for seed in (1, 2, 3))
    ancestral = ddpm_step(xt, eps_hat, t, s, fixed_small(s), noise)
    torch.testing.assert_close(
        ddim_step(xt, eps_hat, t, t - 1, s, 1.0, noise), ancestral, rtol=1e-10, atol=1e-10
    )


def test_ddim_in_all_steps_with_eta_1_is_ddpm_with_beta_tilde():
    implicit = ddim(network, start(), S, T, 1.0, generator=seeded(4))
    ancestral = ddpm(network, start(), S, fixed_small(S), generator=seeded(4))
    for one, other in zip(implicit, ancestral, strict=True):
        assert one.t == other.t
        torch.testing.assert_close(one.xt, other.xt, rtol=1e-8, atol=1e-8)


def test_the_three_parts_of_a_ddim_step_have_total_variance_1_minus_alpha_bar():
    # with the true eps, x_{t'} must be distributed as q(x_{t'} | x_0), whatever eta
    s, n = cosine(100), 100_000
    eps, noise = draw(n, seed=5), draw(n, seed=6)
    for t, t_next, eta in [(80, 30, 0.0), (80, 30, 0.6), (80, 30, 1.0), (9, 8, 0.8)]:
        now, then = torch.full((n,), t), torch.full((n,), t_next)
        xt = s.alpha_bar[t].sqrt() * 0.7 + (1 - s.alpha_bar[t]).sqrt() * eps
        x = ddim_step(xt, eps, now, then, s, eta, noise)
        mean, variance = 0.7 * s.alpha_bar[t_next].sqrt().item(), 1 - s.alpha_bar[t_next].item()
        assert abs(x.mean().item() - mean) < 4 * (variance / n) ** 0.5
        assert abs(x.var().item() - variance) < 4 * variance * (2 / n) ** 0.5


@pytest.mark.parametrize("name", VARIANCE)
def test_two_seeds_give_the_same_x0_from_the_same_x1(name):
    a, b = (
        list(ddpm(network, start(), S, VARIANCE[name](S), generator=seeded(seed), t=1))[-1].xt
        for seed in (1, 2)
    )
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.identity("5.1")
def test_in_a_mixed_batch_only_the_sample_at_t_1_takes_no_noise():
    t, xt, eps_hat = torch.tensor([5, 1, 2]), start(), start(seed=1)
    quiet, loud = (
        ddpm_step(xt, eps_hat, t, S, fixed_large(S), noise * torch.ones_like(xt))
        for noise in (0.0, 10.0)
    )
    added = (loud - quiet).flatten(1)
    expected = 10 * torch.tensor([S.beta[5].sqrt(), 0, S.beta[2].sqrt()]).double()
    torch.testing.assert_close(added, expected[:, None].expand(3, 40), rtol=1e-10, atol=1e-10)


def test_eta_0_needs_no_generator_and_uses_no_noise():
    a = list(ddim(network, start(), S, STEPS))[-1].xt
    b = list(ddim(network, start(), S, STEPS, 0.0, generator=seeded(9)))[-1].xt
    torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_one_ddim_step_to_0_is_the_predicted_clean_image():
    *_, last = ddim(network, start(), S, 1)
    t = torch.full((3,), T)
    expected = x0_from_eps(start(), t, network(start(), t), S)
    torch.testing.assert_close(last.xt, expected, rtol=1e-10, atol=1e-10)


def test_strided_times_are_evenly_spaced_whole_numbers_with_both_ends():
    for last in [*range(1, 61), 1000]:
        for steps in range(1, last + 1, 1 if last < 61 else 37):
            times = strided_times(last, steps)
            exact = torch.arange(steps + 1) * last  # divided by steps; a tie may go either way
            assert (2 * (steps * times - exact).abs() <= steps).all()
            assert (times[0], times[-1], len(times)) == (0, last, steps + 1)
            assert (times.diff() >= 1).all()


@every_sampler
def test_the_best_denoiser_of_a_finite_set_leads_back_into_the_set(sampler):
    s, data = cosine(60), draw(6, 2, 3, 4, seed=7)
    ends = list(
        sampler(eps_model(points(data), s), draw(5, 2, 3, 4, seed=8), s, generator=seeded(9))
    )
    distance = torch.cdist(ends[-1].xt.flatten(1), data.flatten(1)).min(1).values
    assert distance.max() < 1e-3
