"""What goes wrong in samplers.py; the faults of losses.py and exact.py are gathered here too."""

from dataclasses import replace

import torch

import faults_exact
import faults_losses
from faults_forward import shaped
from planting import Fault

HERE = "diffedu.diffusion.samplers"


# Steps


def noise_also_at_the_last_step(original):
    def ddpm_step(xt, eps_hat, t, s, variance, noise):
        right = original(xt, eps_hat, t, s, variance, noise)
        return right + shaped((t == 1) * variance[t].sqrt(), xt) * noise

    return ddpm_step


def root_of_alpha_bar(original):
    def ddpm_step(xt, eps_hat, t, s, variance, noise):
        mean = original(xt, eps_hat, t, s, variance, 0 * noise)
        right = original(xt, eps_hat, t, s, variance, noise)
        return right + mean * (shaped((s.alpha[t] / s.alpha_bar[t]).sqrt(), xt) - 1)

    return ddpm_step


def variance_for_std(original):
    return lambda xt, eps_hat, t, s, variance, noise: original(
        xt, eps_hat, t, s, variance**2, noise
    )


def ddim_with(x0_factor="alpha_bar", direction_without_sigma=False, sigma_power=1, last=0):
    """DDIM written out, with one of its parts wrong."""

    def replacement(original):
        def ddim_step(xt, eps_hat, t, t_next, s, eta, noise):
            t_next = t_next.clamp(min=last)
            now, then = s.alpha_bar[t], s.alpha_bar[t_next]
            sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
            left = 1 - then - (0 if direction_without_sigma else sigma**2)
            x0_hat = (xt - shaped((1 - now).sqrt(), xt) * eps_hat) / shaped(
                getattr(s, x0_factor)[t].sqrt(), xt
            )
            x = shaped(then.sqrt(), xt) * x0_hat + shaped(left.clamp(min=0).sqrt(), xt) * eps_hat
            return x if noise is None else x + shaped(sigma**sigma_power, xt) * noise

        return ddim_step

    return replacement


# Loops


def model_sees(shift):
    """A sampler that asks its model about another t."""

    def replacement(original):
        def sampler(model, xT, s, *args, **keywords):
            def wrong(x, t):
                return model(x, (t + shift).clamp(1, s.T))

            return original(wrong, xT, s, *args, **keywords)

        return sampler

    return replacement


def eta_ignored(original):
    return lambda model, xT, s, steps=50, eta=0.0, **keywords: original(
        model, xT, s, steps, 0.0, **keywords
    )


def beta_t_kept(original):
    """Strided, but each jump takes the beta of one small step."""

    def ddpm_strided(model, xT, s, steps, variance=None, *, generator, t=None, clip=None):
        from diffedu.diffusion import gaussian, samplers

        times = samplers.strided_times(t or s.T, steps).tolist()
        beta = (variance or gaussian.fixed_small)(s)
        for step in times[:0:-1]:
            state = next(samplers.ddpm(model, xT, s, beta, generator=generator, t=step, clip=clip))
            yield state
            now = torch.full((len(xT),), step)
            z = torch.randn(xT.shape, generator=generator, dtype=xT.dtype)
            xT = samplers.ddpm_step(xT, state.eps_hat, now, s, beta, z)
        yield samplers.State(0, xT, xT, None)

    return ddpm_strided


def model_gets_the_number_of_the_jump(original):
    def ddpm_strided(model, xT, s, steps, *args, t=None, **keywords):
        from diffedu.diffusion.samplers import strided_times

        times = strided_times(t or s.T, steps)

        def wrong(x, now):
            return model(x, torch.searchsorted(times, now))

        return original(wrong, xT, s, steps, *args, t=t, **keywords)

    return ddpm_strided


def stops_at_t_1(original):
    def sampler(*args, **keywords):
        states = [state for state in original(*args, **keywords) if state.t > 0]
        return iter([*states, replace(states[-1], t=0, x0_hat=states[-1].xt, eps_hat=None)])

    return sampler


def clip_on_x_t(original):
    def _look(model, xt, step, s, clip):
        return original(model, xt if clip is None else clip(xt), step, s, None)

    return _look


def clip_shown_but_not_used(original):
    def _look(model, xt, step, s, clip):
        free, t = original(model, xt, step, s, None)
        return replace(original(model, xt, step, s, clip)[0], eps_hat=free.eps_hat), t

    return _look


def ends_at_t_1(original):
    return lambda T, steps: torch.linspace(1, T, steps + 1, dtype=torch.float64).round().long()


def fault(name, replacement, file, *identities):
    function = name.split(":")[0]
    return Fault(name, f"{HERE}.{function}", replacement, (f"tests/{file}.py",), identities)


STEPS, LOOPS, CHAIN = "test_samplers_diffusers", "test_samplers", "test_exact_chain"

FAULTS = (
    *faults_losses.FAULTS,
    fault("ddpm_step: variance for std", variance_for_std, STEPS, "5.1"),
    fault("ddpm_step: noise also at the last step", noise_also_at_the_last_step, LOOPS, "5.1"),
    fault("ddpm_step: alpha_bar for alpha", root_of_alpha_bar, CHAIN),
    fault("ddim_step: x0_hat with alpha", ddim_with(x0_factor="alpha"), STEPS, "5.4"),
    fault(
        "ddim_step: direction without sigma",
        ddim_with(direction_without_sigma=True),
        STEPS,
        "5.4",
    ),
    fault("ddim_step: sigma squared", ddim_with(sigma_power=2), STEPS, "5.4"),
    fault("ddim_step: last target alpha_bar_1", ddim_with(last=1), LOOPS),
    fault("ddpm: the model sees t - 1", model_sees(-1), LOOPS),
    fault("ddpm: stops at t = 1", stops_at_t_1, STEPS),
    fault("ddim: the model sees t + 1", model_sees(1), LOOPS),
    fault("ddim: eta ignored", eta_ignored, STEPS),
    fault("ddpm_strided: beta_t kept", beta_t_kept, CHAIN),
    fault(
        "ddpm_strided: the model gets the number of the jump",
        model_gets_the_number_of_the_jump,
        LOOPS,
    ),
    fault("strided_times: from 1", ends_at_t_1, LOOPS),
    fault("_look: clip on x_t", clip_on_x_t, STEPS),
    fault("_look: clip shown but not used", clip_shown_but_not_used, STEPS),
    *faults_exact.FAULTS,
)
