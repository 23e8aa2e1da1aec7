"""Exercise: the cross-entropy of a sequence, from logits."""

import math

import torch
from torch.nn import functional

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def sequence_loss(logits, target):
    """L of (7.3): minus the mean log-probability of the right symbols."""
    log_p = logits.log_softmax(dim=-1)
    return -log_p.gather(-1, target[..., None]).mean()


def _cases(generator):
    """In the last case e to the logits overflows, and small probabilities are 0."""
    cases = [
        {
            "logits": normal((b, n, V), generator),
            "target": torch.randint(V, (b, n), generator=generator),
        }
        for b, n, V in ((3, 5, 7), (2, 8, 4), (6, 3, 10))
    ]
    loud = 1000 * normal((2, 4, 6), generator)
    return [*cases, {"logits": loud, "target": torch.randint(6, (2, 4), generator=generator)}]


def _chosen(values, target):
    return values.gather(-1, target[..., None])[..., 0]


def _softmax_twice(logits, target):
    return sequence_loss(logits.softmax(dim=-1), target)


def _axis(dim):
    return lambda logits, target: -_chosen(logits.log_softmax(dim), target).mean()


def _by_exponentials(logits, target):
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -_chosen(p, target).log().mean()


def _with_a_ceiling(digits):
    """The logarithm of a probability and a little more."""
    number = 10.0**-digits
    return Misconception(
        f"1e-{digits} in the logarithm",
        lambda logits, target: -_chosen(logits.softmax(-1) + number, target).log().mean(),
        f"Right for small logits. 1e-{digits} inside the logarithm puts a ceiling on the loss, "
        f"{-math.log(number):.1f}; -log p of (7.3) has none, and log_softmax never meets p = 0.",
        "7.3",
    )


def _losses(loss):
    """Of three networks: sure and right, sure and wrong, without an opinion."""
    sure = torch.tensor([[[1000.0, 0, 0], [0, 1000.0, 0]]], dtype=torch.float64)
    right, wrong = torch.tensor([[0, 1]]), torch.tensor([[2, 2]])
    found = (loss(sure, right), loss(sure, wrong), loss(0 * sure, right))
    return [f"{round(float(one), 3) + 0.0:.3f}" for one in found]  # 0.0: no minus in front of 0


def _consequence(wrong):
    mine, right = _losses(wrong), _losses(sequence_loss)
    return (
        f"A network that is sure, logits (1000, 0, 0), gets the loss {mine[0]} from this if it is "
        f"right and {mine[1]} if it is wrong; one that gives 1/3 to each of three symbols gets "
        f"{mine[2]}. Done right: {right[0]}, {right[1]} and {right[2]}."
    )


OVERFLOW = (
    "Right on paper. e to a large logit overflows, and the log of 0 is minus infinity: for (7.3), "
    "log_softmax takes the maximum out first."
)


EXERCISE = Exercise(
    name="sequence_loss",
    label="7.3",
    statement=(
        "sequence_loss(logits, target): L of (7.3) for logits (B, n, V) and targets (B, n), "
        "averaged over the batch: one number."
    ),
    reference=sequence_loss,
    cases=_cases,
    tolerance=FLOAT32,
    tested="four batches of different lengths with 4 to 10 symbols, small and large logits.",
    misconceptions=(
        Misconception(
            "softmax twice",
            _softmax_twice,
            "A softmax came before the cross-entropy, which has one inside: the log-probabilities "
            "of (7.3) are then those of numbers between 0 and 1.",
            "7.3",
        ),
        Misconception(
            "probability, no logarithm",
            lambda logits, target: -_chosen(logits.softmax(-1), target).mean(),
            "This is minus the mean probability; (7.3) takes its logarithm, since probabilities "
            "of a sequence are multiplied.",
            "7.3",
        ),
        Misconception(
            "logits for log-probabilities",
            lambda logits, target: -_chosen(logits, target).mean(),
            "This is minus the mean logit; a logit is no log-probability until a log-softmax has "
            "made the V of them compete, see (7.3).",
            "7.3",
        ),
        Misconception(
            "sum over the places",
            lambda logits, target: sequence_loss(logits, target) * target.shape[1],
            "This is the loss of a whole sequence: the 1/n of (7.3) is missing.",
            "7.3",
        ),
        Misconception(
            "sum over everything",
            lambda logits, target: sequence_loss(logits, target) * target.numel(),
            "This is the sum over places and batch; (7.3) has a mean, so that lengths can be "
            "compared.",
            "7.3",
        ),
        Misconception(
            "softmax over places",
            _axis(1),
            "The softmax ran over the places of the sequence; in (7.3) the V candidates for one "
            "place compete.",
            "7.3",
        ),
        Misconception(
            "softmax over the batch",
            _axis(0),
            "The softmax ran over the batch; in (7.3) the V candidates for one place compete.",
            "7.3",
        ),
        Misconception(
            "sign",
            lambda logits, target: -sequence_loss(logits, target),
            "The sign: log-probabilities are negative, and L of (7.3) is minus their mean.",
            "7.3",
        ),
        Misconception(
            "bits",
            lambda logits, target: sequence_loss(logits, target) / torch.tensor(2.0).log(),
            "This is in bits, with logarithms to base 2; (7.3) uses the natural logarithm.",
            "7.3",
        ),
        Misconception(
            "squared error",
            lambda logits, target: (
                (logits.softmax(-1) - functional.one_hot(target, logits.shape[-1])) ** 2
            ).mean(),
            "This is a squared error between probabilities and a one-hot target; (7.3) is minus "
            "the logarithm of the right symbol's probability.",
            "7.3",
        ),
        Misconception(
            "overflow",
            _by_exponentials,
            OVERFLOW,
            "7.3",
        ),
        Misconception(
            "log of 0",
            lambda logits, target: -_chosen(logits.softmax(-1).log(), target).mean(),
            OVERFLOW,
            "7.3",
        ),
        *(_with_a_ceiling(digits) for digits in (8, 9, 10, 12)),
        Misconception(
            "reshaped",
            lambda logits, target: functional.cross_entropy(
                logits.reshape(len(logits), logits.shape[2], -1), target
            ),
            "Symbols and places were exchanged by a reshape, which only pours the numbers into "
            "another shape; the V logits of one place of (7.3) must stay together.",
            "7.3",
        ),
        Misconception(
            "sum over the batch",
            lambda logits, target: sequence_loss(logits, target) * len(target),
            "This is the mean over places, summed over the batch; asked is the L of (7.3) of one "
            "sequence, on average.",
            "7.3",
        ),
        Misconception(
            "divided by V as well",
            lambda logits, target: sequence_loss(logits, target) / logits.shape[-1],
            "You divided by the number V of symbols as well; in (7.3) only the right symbol has a "
            "term, and the mean is over the n places.",
            "7.3",
        ),
        Misconception(
            "log after the mean",
            lambda logits, target: -_chosen(logits.softmax(-1), target).mean().log(),
            "The logarithm came after the mean: of an average probability. (7.3) is the average of "
            "the logarithms.",
            "7.3",
        ),
        Misconception(
            "one for each sequence",
            lambda logits, target: -_chosen(logits.log_softmax(-1), target).mean(1),
            "This has a loss for each sequence, (B,); asked is their mean, one number.",
            "7.3",
        ),
        Misconception(
            "one for each symbol",
            lambda logits, target: -_chosen(logits.log_softmax(-1), target),
            "These are the terms of (7.3), one for each symbol, (B, n); asked is their mean, one "
            "number.",
            "7.3",
        ),
    ),
    together=(
        Both(
            "softmax twice",
            "sum over the places",
            lambda logits, target: _softmax_twice(logits, target) * target.shape[1],
        ),
    ),
    hints=(
        "Which of the V numbers at each place matters most? And why do the others matter as well?",
        "First log-probabilities over the V symbols, then pick the target's, then a mean.",
        "If you use a ready-made cross-entropy: what does it do with its input first, and on which "
        "axis does it want the symbols?",
    ),
    consequence=_consequence,
    where=at_entry,
)
