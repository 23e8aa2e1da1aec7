"""The exercises of notebook 02, in its order."""

from diffedu.classroom.checks.posterior import (
    guess_tenfold,
    guess_weight_of_x0,
    mean_from_noise,
    posterior_by_precisions,
    posterior_mean,
    posterior_variance,
    product_of_gaussians,
    repair_posterior,
    x0_from_noise,
)

EXERCISES = (
    posterior_variance.EXERCISE,
    posterior_mean.EXERCISE,
    guess_weight_of_x0.EXERCISE,
    guess_tenfold.EXERCISE,
    product_of_gaussians.EXERCISE,
    x0_from_noise.EXERCISE,
    mean_from_noise.EXERCISE,
    posterior_by_precisions.EXERCISE,
    repair_posterior.EXERCISE,
)
