"""The exercises of notebook 03, in its order."""

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
    gaussian_kl.EXERCISE,
    guess_pixel_probability.EXERCISE,
    guess_gap.EXERCISE,
    bits.EXERCISE,
    prior_cost.EXERCISE,
    snr_weight.EXERCISE,
    step_cost.EXERCISE,
    pixel_log_prob.EXERCISE,
    two_estimates.EXERCISE,
    repair_learned_cost.EXERCISE,
)
