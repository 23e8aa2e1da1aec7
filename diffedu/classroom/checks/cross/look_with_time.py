"""Exercise: one time token among the pixels."""

import torch

from diffedu.classroom.checks.cross.common import look, matrix
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# B, n, C, d_time, d, d_v: all differ, then keys and values of one width
SIZES = ((3, 8, 5, 4, 7, 2), (2, 5, 3, 4, 7, 7))


def look_with_time(x, time, W_q, W_k, W_v, U_k, U_v):
    """Pixels look at n pixels and one time token, with a key and a value of its own."""
    time = time[:, None]  # one token: (B, 1, d_time)
    k = torch.cat([x @ W_k, time @ U_k], dim=1)
    v = torch.cat([x @ W_v, time @ U_v], dim=1)
    scores = x @ W_q @ k.mT / k.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v


def _cases(generator):
    return [
        {
            "x": normal((b, n, c), generator),
            "time": normal((b, d_time), generator),
            "W_q": matrix(c, d, generator),
            "W_k": matrix(c, d, generator),
            "W_v": matrix(c, d_v, generator),
            "U_k": matrix(d_time, d, generator),
            "U_v": matrix(d_time, d_v, generator),
        }
        for b, n, c, d_time, d, d_v in SIZES
    ]


def _tokens(x, time, W_q, W_k, W_v, U_k, U_v):
    """Queries, keys and values of the pixels, key and value of the time."""
    time = time[:, None]
    return x @ W_q, x @ W_k, x @ W_v, time @ U_k, time @ U_v


def _joined(*parts):
    return torch.cat(parts, dim=1)


def _with(combine):
    """What `combine` makes of q, k, v and of the key and the value of the time."""
    return lambda *arguments: combine(*_tokens(*arguments))


def _one_matrix(x, time, W_q, W_k, W_v, U_k, U_v):
    return look_with_time(x, time, W_q, W_k, W_v, U_k, U_k)


def _time_asks_too(x, time, W_q, W_k, W_v, U_k, U_v):
    q, k, v, k_time, v_time = _tokens(x, time, W_q, W_k, W_v, U_k, U_v)
    return look(_joined(q, k_time), _joined(k, k_time), _joined(v, v_time))


EXERCISE = Exercise(
    name="look_with_time",
    label="10.3",
    statement=(
        "look_with_time(x, time, W_q, W_k, W_v, U_k, U_v): pixels x (B, n, C) look at the n pixels "
        "and at one token made from time (B, d_time), with key time U_k and value time U_v."
    ),
    reference=look_with_time,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two batches; all sizes differ.",
    misconceptions=(
        Misconception(
            "one matrix for the time",
            _one_matrix,
            "The time's key is also its value; who hears a token and what it says are two things, "
            "with a projection each, see (10.6).",
            "10.6",
        ),
        Misconception(
            "time not heard",
            _with(lambda q, k, v, k_time, v_time: look(q, k, v)),
            "Your pixels look at pixels alone; (10.3) counts n + 1 tokens, with the time.",
            "10.3",
        ),
        Misconception(
            "time alone",
            _with(lambda q, k, v, k_time, v_time: look(q, k_time, v_time)),
            "Your pixels look at the time alone, where by (10.2) every weight is 1; asked for are "
            "n + 1 tokens.",
            "10.2",
        ),
        Misconception(
            "time beside the softmax",
            _with(lambda q, k, v, k_time, v_time: look(q, k, v) + v_time),
            "The time's value is added in full (adding it to every token's key and value comes to "
            "the same); as one of n + 1 tokens it gets a share, (10.3).",
            "10.3",
        ),
        Misconception(
            "the time asks too",
            _time_asks_too,
            "Your result has a row for the time, which asks, too; here only the n pixels ask, and "
            "the time answers, (10.1).",
            "10.1",
        ),
        Misconception(
            "softmax over the queries",
            _with(
                lambda q, k, v, k_time, v_time: look(
                    q, _joined(k, k_time), _joined(v, v_time), axis=-2
                )
            ),
            "Your weights sum to 1 over the pixels that ask; (10.3) shares out each pixel's 1 "
            "among n + 1 tokens.",
            "10.3",
        ),
        Misconception(
            "no root",
            _with(
                lambda q, k, v, k_time, v_time: look(
                    q, _joined(k, k_time), _joined(v, v_time), width=1
                )
            ),
            "Your scores are bare products; (10.1) divides them by the root of the width of a "
            "query.",
            "10.1",
        ),
    ),
    together=(
        Both(
            "one matrix for the time",
            "no root",
            _with(
                lambda q, k, v, k_time, v_time: look(
                    q, _joined(k, k_time), _joined(v, k_time), width=1
                )
            ),
        ),
    ),
    hints=(
        "How many rows have the queries, the keys and the values? Only two of the three grow.",
        "Give the time an axis of one token: (B, 1, d_time). Then it can stand beside the pixels.",
        "Keys: those of the pixels, then one more. Values likewise. After that all is as before.",
    ),
    where=at_entry,
)
