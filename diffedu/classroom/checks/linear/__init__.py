"""The exercises of notebook 09, in its order."""

from diffedu.classroom.checks.linear import (
    ceilings,
    guess_crossover,
    guess_mean_weight,
    hidden_matrix,
    look_linearly,
    multiplications,
    repair_pixels_last,
    row_distance,
)

EXERCISES = (
    hidden_matrix.EXERCISE,
    look_linearly.EXERCISE,
    guess_crossover.EXERCISE,
    guess_mean_weight.EXERCISE,
    multiplications.EXERCISE,
    ceilings.EXERCISE,
    row_distance.EXERCISE,
    repair_pixels_last.EXERCISE,
)
