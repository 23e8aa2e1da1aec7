"""The exercises of notebook 07, in its order."""

from diffedu.classroom.checks.heads import (
    decoder_input,
    guess_touched,
    heads_apart,
    heads_together,
    many_heads,
    past_mask,
    repair_heads,
    sequence_loss,
)

EXERCISES = (
    heads_apart.EXERCISE,
    heads_together.EXERCISE,
    repair_heads.EXERCISE,
    guess_touched.EXERCISE,
    decoder_input.EXERCISE,
    past_mask.EXERCISE,
    many_heads.EXERCISE,
    sequence_loss.EXERCISE,
)
