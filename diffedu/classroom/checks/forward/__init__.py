"""The exercises of notebook 01, in its order."""

from diffedu.classroom.checks.forward import (
    cosine_betas,
    draw_steps,
    guess_final_variance,
    guess_half_signal,
    guess_signal_curve,
    jump,
    jump_between,
    linear_betas,
    one_step,
    per_picture,
    repair_walk,
    signal_left,
    to_range,
)

EXERCISES = (
    guess_final_variance.EXERCISE,
    signal_left.EXERCISE,
    per_picture.EXERCISE,
    guess_half_signal.EXERCISE,
    guess_signal_curve.EXERCISE,
    one_step.EXERCISE,
    to_range.EXERCISE,
    jump.EXERCISE,
    draw_steps.EXERCISE,
    jump_between.EXERCISE,
    linear_betas.EXERCISE,
    cosine_betas.EXERCISE,
    repair_walk.EXERCISE,
)
