"""Exercise: the soft look-up for one query."""

import math

from diffedu.classroom.checks.attention.common import unit
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def look_up(query, keys, values, temperature):
    """Scores, their softmax over the keys, and the mean of the values with these weights (6.1)."""
    scores = keys @ query
    weights = (scores / temperature).softmax(dim=0)
    return weights @ values


def _cases(generator):
    sizes = ((6, 4, 3, 3.0), (3, 7, 5, 5.0), (5, 2, 4, 1.7), (4, 6, 2, 0.6))  # n, d, d_v
    return [
        {
            "query": normal((d,), generator),
            "keys": normal((n, d), generator),
            "values": normal((n, d_v), generator),
            "temperature": temperature,
        }
        for n, d, d_v, temperature in sizes
    ]


def _unsummed(query, keys, values, temperature):
    return (keys @ query / temperature).exp() @ values


def _shares(query, keys, values, temperature):
    scores = keys @ query
    return scores / scores.sum() @ values


def _scores_of(score):
    """The look-up with other scores, made from the keys and the query."""
    return lambda query, keys, values, temperature: (
        (score(keys, query) / temperature).softmax(0) @ values
    )


def _distance(keys, query):
    return (keys - query).norm(dim=1)


def _averaged(query, keys, values, temperature):
    weights = (keys @ query / temperature).softmax(0)
    return (weights[:, None] * values).mean(0)


def _half_tempered(query, keys, values, temperature):
    scores = keys @ query
    return (scores / temperature).exp() / scores.exp().sum() @ values


def _cosine(query, keys, values, temperature):
    return (unit(keys) @ unit(query) / temperature).softmax(0) @ values


EXERCISE = Exercise(
    name="look_up",
    label="6.1",
    statement=(
        "look_up(query, keys, values, temperature): the answer (d_v,) of the soft look-up, for one "
        "query (d,), keys (n, d) and values (n, d_v)."
    ),
    reference=look_up,
    cases=_cases,
    tolerance=FLOAT32,
    tested="four sizes, with temperatures from .6 to 5.",
    misconceptions=(
        Misconception(
            "multiplied by the temperature",
            lambda query, keys, values, temperature: (
                (keys @ query * temperature).softmax(0) @ values
            ),
            "Your scores are multiplied by the temperature; in (6.1) it divides them: hot means "
            "that all weights become alike.",
            "6.1",
        ),
        Misconception(
            "no temperature",
            lambda query, keys, values, temperature: (keys @ query).softmax(0) @ values,
            "The temperature has no effect on your answer (it cancels if it divides after the "
            "exponential); in (6.1) it divides the scores.",
            "6.1",
        ),
        Misconception(
            "temperature after the softmax",
            lambda query, keys, values, temperature: (
                (keys @ query).softmax(0) / temperature @ values
            ),
            "You divided the finished weights by the temperature, and they no longer sum to 1; "
            "(6.1) divides the scores.",
            "6.1",
        ),
        Misconception(
            "keys for values",
            lambda query, keys, values, temperature: (keys @ query / temperature).softmax(0) @ keys,
            "The weights are right, and you took the mean of the keys; (6.1) takes the mean of the "
            "values.",
            "6.1",
        ),
        Misconception(
            "best key only",
            lambda query, keys, values, temperature: values[(keys @ query).argmax()],
            "This is the hard dictionary: the value of the best key alone; in (6.1) every value "
            "has a share.",
            "6.1",
        ),
        Misconception(
            "scores for weights",
            lambda query, keys, values, temperature: keys @ query / temperature @ values,
            "The values are weighted with the scores themselves; (6.1) makes them positive shares "
            "first, by the softmax.",
            "6.1",
        ),
        Misconception(
            "scores over their sum",
            _shares,
            "Your weights are scores divided by their sum, which may be negative; (6.1) takes "
            "their exponentials before it divides.",
            "6.1",
        ),
        Misconception(
            "exponentials not divided",
            _unsummed,
            "Your weights are exponentials that do not sum to 1: the denominator of (6.1) is "
            "missing.",
            "6.1",
        ),
        Misconception(
            "mean of the values",
            lambda query, keys, values, temperature: values.mean(0),
            "All values have the same share in your answer; in (6.1) the query decides.",
            "6.1",
        ),
        Misconception(
            "cosine for dot product",
            _cosine,
            "You compare directions only; the score of (6.1) is the plain dot product, in which "
            "the lengths count, too.",
            "6.1",
        ),
        Misconception(
            "distances for scores",
            _scores_of(lambda keys, query: -_distance(keys, query)),
            "You compare query and keys by their distance; the score of (6.1) is the dot product, "
            "which is large for a long key, too.",
            "6.1",
        ),
        Misconception(
            "squared distances for scores",
            _scores_of(lambda keys, query: -(_distance(keys, query) ** 2)),
            "You compare query and keys by the square of their distance; the score of (6.1) is the "
            "dot product.",
            "6.1",
        ),
        Misconception(
            "the farthest key wins",
            _scores_of(_distance),
            "Your scores are distances, and the farthest key gets the largest weight; the score of "
            "(6.1) is the dot product.",
            "6.1",
        ),
        Misconception(
            "also divided by the root",
            _scores_of(lambda keys, query: keys @ query / math.sqrt(len(query))),
            "Your scores are divided by the temperature and by √d; in (6.1) the temperature alone "
            "divides them.",
            "6.1",
        ),
        Misconception(
            "mean of the weighted values",
            _averaged,
            "You divided by the number of values once more; the answer of (6.1) is the sum of the "
            "weighted values, for the weights sum to 1 already.",
            "6.1",
        ),
        Misconception(
            "temperature in the numerator only",
            _half_tempered,
            "Your denominator knows no temperature, and the weights do not sum to 1; in (6.1) it "
            "divides the scores above and below.",
            "6.1",
        ),
        Misconception(
            "weights for the answer",
            lambda query, keys, values, temperature: (keys @ query / temperature).softmax(0),
            "You returned the weights, one for each key; the answer of (6.1) is the mean of the "
            "values with these weights.",
            "6.1",
        ),
    ),
    together=(
        Both(
            "no temperature",
            "exponentials not divided",
            lambda query, keys, values, temperature: (keys @ query).exp() @ values,
        ),
        Both(
            "no temperature",
            "keys for values",
            lambda query, keys, values, temperature: (keys @ query).softmax(0) @ keys,
        ),
    ),
    hints=(
        "Three steps, in this order: a score for each key, shares that sum to 1, a mean.",
        "There are n keys, so n scores and n weights. What of your intermediate results has n "
        "entries?",
        "The temperature enters once: before the exponential, under each score.",
    ),
    where=at_entry,
)
