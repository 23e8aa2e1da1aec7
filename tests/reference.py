"""What diffusers says about the same step, with the conversion of t in one place.

diffusers counts its steps from 0; the course counts as the papers do, from 1. Its tables are
float32: here they are recomputed in float64 from its own betas, so that a comparison can be tight.
"""

import torch
from diffusers import DDIMScheduler, DDPMScheduler

from diffedu.diffusion.schedules import Schedule

SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")


def diffusers_t(t: int) -> int:
    """The step which the course calls t, as diffusers counts."""
    return t - 1


def course_t(t: int) -> int:
    """The step which diffusers calls t, as the course counts."""
    return t + 1


def ddpm_of_diffusers(T: int, beta_schedule: str, **options) -> tuple[DDPMScheduler, Schedule]:
    """A DDPMScheduler and our schedule with the same betas. Linear betas are scaled to T steps."""
    theirs = DDPMScheduler(T, *_endpoints(T), beta_schedule, **options)
    theirs.one = torch.ones((), dtype=torch.float64)
    return theirs, _in_float64(theirs)


def ddim_of_diffusers(T: int, beta_schedule: str, **options) -> tuple[DDIMScheduler, Schedule]:
    """A DDIMScheduler that ends at the clean image, and our schedule with the same betas."""
    theirs = DDIMScheduler(
        T,
        *_endpoints(T),
        beta_schedule,
        set_alpha_to_one=True,
        timestep_spacing="trailing",
        **options,
    )
    theirs.final_alpha_cumprod = torch.ones((), dtype=torch.float64)
    return theirs, _in_float64(theirs)


def _endpoints(T: int) -> tuple[float, float]:
    return 0.1 / T, 20 / T


def _in_float64(theirs: DDPMScheduler | DDIMScheduler) -> Schedule:
    betas = theirs.betas.double()
    theirs.alphas_cumprod = (1 - betas).cumprod(0)
    return Schedule.from_beta(betas)
