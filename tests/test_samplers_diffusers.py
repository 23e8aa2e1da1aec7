"""The samplers against diffusers' DDPMScheduler and DDIMScheduler, in float64."""

import pytest
import torch

from diffedu.diffusion.gaussian import fixed_large, fixed_small
from diffedu.diffusion.samplers import (
    ddim,
    ddim_step,
    ddpm,
    ddpm_step,
    ddpm_strided,
    strided_times,
)
from reference import SCHEDULES, course_t, ddim_of_diffusers, ddpm_of_diffusers, diffusers_t

VARIANCE = {"fixed_small": fixed_small, "fixed_large": fixed_large}
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def draw(*shape, seed):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64)


def network(x, t):
    """Neither linear in x, nor symmetric, nor blind to t."""
    t = t.double().view(-1, 1, 1, 1)
    return 0.7 * torch.tanh(x) + 0.2 * torch.sin(3 * x.flip(-1)) + 0.02 * t


def clip(x0_hat):
    return x0_hat.clamp(-1, 1)


def their_chain(theirs, xT, seed, **options):
    """Every x_t and x0_hat of diffusers' own loop, and the last sample."""
    g = torch.Generator().manual_seed(seed)
    x, seen = xT, []
    for timestep in theirs.timesteps.tolist():
        eps_hat = network(x, torch.full((len(x),), course_t(timestep)))
        out = theirs.step(eps_hat, timestep, x, generator=g, **options)
        seen.append((course_t(timestep), x, out.pred_original_sample))
        x = out.prev_sample
    return [*seen, (0, x, x)]


def assert_same_chain(states, expected):
    states = list(states)
    assert [state.t for state in states] == [t for t, _, _ in expected]
    for state, (_, xt, x0_hat) in zip(states, expected, strict=True):
        torch.testing.assert_close(state.xt, xt, **CLOSE)
        torch.testing.assert_close(state.x0_hat, x0_hat, **CLOSE)


@pytest.mark.identity("5.1")
@pytest.mark.parametrize("variance", VARIANCE)
@pytest.mark.parametrize("beta_schedule", SCHEDULES)
def test_an_ancestral_step_is_the_step_of_diffusers(beta_schedule, variance):
    theirs, s = ddpm_of_diffusers(1000, beta_schedule, variance_type=variance, clip_sample=False)
    t = torch.tensor([17, 1, 1000, 2, 500])
    xt, eps_hat = 3 * draw(5, 2, 3, 4, seed=1), draw(5, 2, 3, 4, seed=2)
    noise, expected = torch.empty_like(xt), torch.empty_like(xt)
    for i, step in enumerate(t.tolist()):
        one, g = slice(i, i + 1), torch.Generator().manual_seed(step)
        noise[one] = draw(1, 2, 3, 4, seed=step)
        stepped = theirs.step(eps_hat[one], diffusers_t(step), xt[one], generator=g)
        expected[one] = stepped.prev_sample
    mine = ddpm_step(xt, eps_hat, t, s, VARIANCE[variance](s), noise)
    torch.testing.assert_close(mine, expected, **CLOSE)


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("variance", VARIANCE)
@pytest.mark.parametrize("beta_schedule", SCHEDULES)
def test_ancestral_sampling_is_the_loop_of_diffusers(beta_schedule, variance, clipped):
    theirs, s = ddpm_of_diffusers(24, beta_schedule, variance_type=variance, clip_sample=clipped)
    xT = draw(3, 2, 4, 5, seed=3)
    g = torch.Generator().manual_seed(4)
    states = ddpm(
        network, xT, s, VARIANCE[variance](s), generator=g, clip=clip if clipped else None
    )
    assert_same_chain(states, their_chain(theirs, xT, seed=4))


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("variance", VARIANCE)
@pytest.mark.parametrize("steps", [1, 6, 24])
def test_strided_ancestral_sampling_is_the_respaced_loop_of_diffusers(steps, variance, clipped):
    theirs, s = ddpm_of_diffusers(
        24, "linear", variance_type=variance, clip_sample=clipped, timestep_spacing="trailing"
    )
    theirs.set_timesteps(steps)
    xT = draw(3, 2, 4, 5, seed=5)
    states = ddpm_strided(
        network,
        xT,
        s,
        steps,
        VARIANCE[variance],
        generator=torch.Generator().manual_seed(6),
        clip=clip if clipped else None,
    )
    expected = their_chain(theirs, xT, seed=6)
    # diffusers adds noise in the last jump unless it is from t = 1; its mean there is x0_hat
    last_x0_hat = expected[-2][2]
    expected[-1] = (0, last_x0_hat, last_x0_hat)
    assert_same_chain(states, expected)


@pytest.mark.identity("5.4")
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("beta_schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [20, 1000])
def test_a_ddim_step_is_the_step_of_diffusers(steps, beta_schedule, eta):
    theirs, s = ddim_of_diffusers(1000, beta_schedule, clip_sample=False)
    theirs.set_timesteps(steps)
    jump = 1000 // steps
    t = torch.tensor([650, jump, 1000, 2 * jump, 50])
    xt, eps_hat, noise = (draw(5, 2, 3, 4, seed=seed) for seed in (7, 8, 9))
    expected = torch.cat(
        [
            theirs.step(
                eps_hat[i, None], diffusers_t(step), xt[i, None], eta, variance_noise=noise[i, None]
            ).prev_sample
            for i, step in enumerate(t.tolist())
        ]
    )
    mine = ddim_step(xt, eps_hat, t, t - jump, s, eta, noise)
    torch.testing.assert_close(mine, expected, **CLOSE)


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("beta_schedule", SCHEDULES)
def test_ddim_sampling_is_the_loop_of_diffusers(beta_schedule, eta, clipped):
    theirs, s = ddim_of_diffusers(60, beta_schedule, clip_sample=clipped)
    theirs.set_timesteps(12)
    xT = draw(3, 2, 4, 5, seed=10)
    g = torch.Generator().manual_seed(11)
    states = ddim(network, xT, s, 12, eta, generator=g, clip=clip if clipped else None)
    expected = their_chain(theirs, xT, seed=11, eta=eta, use_clipped_model_output=clipped)
    assert_same_chain(states, expected)


@pytest.mark.parametrize(("T", "steps"), [(1000, 50), (1000, 10), (60, 60), (24, 1), (4000, 250)])
def test_the_visited_times_are_the_trailing_timesteps_of_diffusers(T, steps):
    theirs, _ = ddim_of_diffusers(T, "linear")
    theirs.set_timesteps(steps)
    expected = [0, *(course_t(timestep) for timestep in reversed(theirs.timesteps.tolist()))]
    assert strided_times(T, steps).tolist() == expected
