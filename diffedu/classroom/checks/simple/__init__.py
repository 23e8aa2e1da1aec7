"""The exercises of notebook 04, in its order."""

from diffedu.classroom.checks.simple import (
    best_guess,
    fair_weight,
    guess_weight_fall,
    guess_x0_error,
    noise_from_x0,
    noise_weight,
    repair_training_loss,
    score_from_noise,
    simple_loss,
    undo_velocity,
    velocity,
    x0_from_score,
)

EXERCISES = (
    guess_weight_fall.EXERCISE,
    velocity.EXERCISE,
    undo_velocity.EXERCISE,
    guess_x0_error.EXERCISE,
    noise_from_x0.EXERCISE,
    score_from_noise.EXERCISE,
    x0_from_score.EXERCISE,
    noise_weight.EXERCISE,
    fair_weight.EXERCISE,
    simple_loss.EXERCISE,
    repair_training_loss.EXERCISE,
    best_guess.EXERCISE,
)
