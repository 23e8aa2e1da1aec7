"""Right answers to the exercises, written in different ways: every one of them must pass."""

import right_answers_attention
import right_answers_bound
import right_answers_cross
import right_answers_forward
import right_answers_heads
import right_answers_images
import right_answers_linear
import right_answers_posterior
import right_answers_sampling
import right_answers_simple

RIGHT = {
    **right_answers_forward.RIGHT,
    **right_answers_posterior.RIGHT,
    **right_answers_bound.RIGHT,
    **right_answers_simple.RIGHT,
    **right_answers_sampling.RIGHT,
    **right_answers_attention.RIGHT,
    **right_answers_heads.RIGHT,
    **right_answers_images.RIGHT,
    **right_answers_linear.RIGHT,
    **right_answers_cross.RIGHT,
}
