"""The exercises of notebook 06, in its order."""

from diffedu.classroom.checks.attention import (
    guess_largest_weight,
    look_up,
    masked_weights,
    moved_code,
    place_code,
    repair_attention,
    scaled_weights,
    shuffled_output,
)

EXERCISES = (
    look_up.EXERCISE,
    guess_largest_weight.EXERCISE,
    scaled_weights.EXERCISE,
    masked_weights.EXERCISE,
    shuffled_output.EXERCISE,
    place_code.EXERCISE,
    moved_code.EXERCISE,
    repair_attention.EXERCISE,
)
