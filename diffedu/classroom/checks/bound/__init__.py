"""The exercises of notebook 03, easy to hard."""

from diffedu.classroom.checks.bound import (
    bits,
    gaussian_kl,
    guess_gap,
    guess_pixel_probability,
    pixel_log_prob,
    prior_cost,
    repair_learned_cost,
    snr_weight,
    step_cost,
    two_estimates,
)

EXERCISES = (
    guess_pixel_probability.EXERCISE,
    guess_gap.EXERCISE,
    bits.EXERCISE,
    gaussian_kl.EXERCISE,
    prior_cost.EXERCISE,
    snr_weight.EXERCISE,
    two_estimates.EXERCISE,
    step_cost.EXERCISE,
    pixel_log_prob.EXERCISE,
    repair_learned_cost.EXERCISE,
)
