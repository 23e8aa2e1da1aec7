"""The exercises of notebook 08, in its order."""

from diffedu.classroom.checks.images import (
    attention_levels,
    cost_of_attention,
    gated,
    guess_score_memory,
    merge_blocks,
    pixels_in_a_row,
    repair_pixel_attention,
    residual_block,
)

EXERCISES = (
    pixels_in_a_row.EXERCISE,
    residual_block.EXERCISE,
    guess_score_memory.EXERCISE,
    cost_of_attention.EXERCISE,
    attention_levels.EXERCISE,
    gated.EXERCISE,
    merge_blocks.EXERCISE,
    repair_pixel_attention.EXERCISE,
)
