"""The exercises of notebook 05, in its order."""

from diffedu.classroom.checks.sampling import (
    ancestral_loop,
    ancestral_step,
    clipped_step,
    ddim_move,
    guess_ten_steps,
    guess_wrong_noise_std,
    jump_variance,
    pushed,
    repair_sampler,
    repair_strided,
    restart,
    times_to_visit,
)

EXERCISES = (
    ancestral_step.EXERCISE,
    guess_wrong_noise_std.EXERCISE,
    guess_ten_steps.EXERCISE,
    pushed.EXERCISE,
    times_to_visit.EXERCISE,
    ancestral_loop.EXERCISE,
    ddim_move.EXERCISE,
    jump_variance.EXERCISE,
    clipped_step.EXERCISE,
    restart.EXERCISE,
    repair_sampler.EXERCISE,
    repair_strided.EXERCISE,
)
