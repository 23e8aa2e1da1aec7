"""Find the bug: pictures that hear the captions of others."""

import torch

from diffedu.classroom.checks.cross.common import (
    all_captions,
    captioned,
    cross_look,
    first_caption,
    hearing,
    look,
    rms,
)
from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# B, n_q, n_k, d_x, d_context, d, d_v: all differ, and once as many samples as words
SIZES = ((3, 7, 5, 4, 2, 6, 8), (4, 6, 4, 2, 3, 5, 7))


CASES = captioned(SIZES)


def repair_captions(x, context, W_q, W_k, W_v):
    """(10.1), sample by sample: a picture hears its own caption alone."""
    return cross_look(x, context, W_q, W_k, W_v)


def _own_share(x, context, W_q, W_k, W_v):
    """Weights over the words of all captions, of which the own ones are kept."""
    n, words = context.shape[1], all_captions(context)
    own = torch.eye(len(x), dtype=x.dtype).repeat_interleave(n, dim=1)[:, None]
    return look(x @ W_q, words @ W_k, words @ W_v, after=lambda weights: weights * own)


def _consequence(function):
    """What another caption for the first picture does to the last."""
    case = CASES(torch.Generator().manual_seed(3))[0]
    before = function(*case.values())[-1]
    case["context"][0] = normal(case["context"][0].shape, torch.Generator().manual_seed(4))
    change = rms(function(*case.values())[-1] - before)
    if change < 1e-9:
        raise ValueError(f"change: expected something to tell, got {change}")
    return (
        f"Of three pictures, the first gets another caption. The answer for the last changes by "
        f"{change:.2g} (its size is {rms(before):.2g}); done right, by 0."
    )


EXERCISE = Exercise(
    name="repair_captions",
    label="10.1",
    statement=(
        "repair_captions(x, context, W_q, W_k, W_v): (10.1) for pictures (B, n_q, d_x) with a "
        "caption each. It is right for one picture; in a batch one line is wrong."
    ),
    reference=repair_captions,
    cases=CASES,
    tolerance=FLOAT32,
    tested="batches of 3 and 4; another caption in the batch changes nothing any more.",
    misconceptions=(
        Misconception(
            "all captions for everyone",
            hearing(all_captions),
            "The words of all captions were joined into one, so that every picture heard them all; "
            "in (10.1) a sample's pixels look at its own n_k tokens.",
            "10.1",
        ),
        Misconception(
            "first caption for everyone",
            hearing(first_caption),
            "Every picture now hears the first caption; (10.1) pairs each picture with its own.",
            "10.1",
        ),
        Misconception(
            "mean of the captions",
            hearing(lambda context: context.mean(0, keepdim=True).expand_as(context)),
            "Every picture now hears the mean of all captions; (10.1) pairs each with its own.",
            "10.1",
        ),
        Misconception(
            "samples and words exchanged",
            hearing(lambda context: context.transpose(0, 1)),
            "The two first axes of the context are exchanged, so that a picture hears one word "
            "of each caption; in (10.1) it hears every word of one.",
            "10.1",
        ),
        Misconception(
            "own words after the softmax",
            _own_share,
            "The weights still cover all captions, and only the own ones are kept, so that they no "
            "longer sum to 1; in (10.1) the softmax runs over the own tokens.",
            "10.1",
        ),
        Misconception(
            "no root",
            lambda x, context, W_q, W_k, W_v: look(x @ W_q, context @ W_k, context @ W_v, width=1),
            "The captions are in place, and the root of d got lost, which was not the bug; (10.1) "
            "has it.",
            "10.1",
        ),
        Misconception(
            "softmax over the queries",
            lambda x, context, W_q, W_k, W_v: look(x @ W_q, context @ W_k, context @ W_v, axis=-2),
            "The captions are in place, and the softmax runs over the pixels, which was not the "
            "bug; in (10.1) it runs over the tokens.",
            "10.1",
        ),
    ),
    hints=(
        "With one picture in the batch it is right. Which line can tell one picture from many?",
        "Print the shape of `words` for a batch of 3. How many tokens does each picture see?",
        "The batch axis needs no care at all: `@` already works sample by sample.",
    ),
    bug="all captions for everyone",
    consequence=_consequence,
    where=at_entry,
    built_on=(cross_look,),
)
