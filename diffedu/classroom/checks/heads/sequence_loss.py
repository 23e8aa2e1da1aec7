"""Exercise: the cross-entropy of a sequence, from logits."""

import torch
from torch.nn import functional

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def sequence_loss(logits, target):
    """L of (7.3): minus the mean log-probability of the right symbols."""
    log_p = logits.log_softmax(dim=-1)
    return -log_p.gather(-1, target[..., None]).mean()


def _cases(generator):
    return [
        {
            "logits": normal((b, n, V), generator),
            "target": torch.randint(V, (b, n), generator=generator),
        }
        for b, n, V in ((3, 5, 7), (2, 8, 4), (6, 3, 10))
    ]


def _chosen(values, target):
    return values.gather(-1, target[..., None])[..., 0]


def _softmax_twice(logits, target):
    return sequence_loss(logits.softmax(dim=-1), target)


def _axis(dim):
    return lambda logits, target: -_chosen(logits.log_softmax(dim), target).mean()


def _consequence(wrong):
    """A network that is sure, and right."""
    logits = torch.tensor([[[50.0, 0.0, 0.0], [0.0, 50.0, 0.0]]], dtype=torch.float64)
    target = torch.tensor([[0, 1]])
    mine, right = (float(loss(logits, target)) for loss in (wrong, sequence_loss))
    doubt = 0 * logits
    unsure, fair = (float(loss(doubt, target)) for loss in (wrong, sequence_loss))
    return (
        f"A network that is sure and right, logits (50, 0, 0), gets the loss {mine:.3f} from this, "
        f"and one that gives 1/3 to each of three symbols {unsure:.3f}; done right, {right:.3f} "
        f"and {fair:.3f}."
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
    tested="three batches of different lengths with 4 to 10 symbols.",
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
