"""Exercise: one time token among the pixels."""

import torch

from diffedu.classroom.checks.cross.common import look, matrix
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# B, n, d_x, d_time, d, d_v: all differ; then keys and values of one width, which lets a key
# be taken for a value
SIZES = ((3, 8, 5, 4, 7, 2), (2, 5, 3, 4, 7, 7))


def look_with_time(x, time, W_q, W_k, W_v, U_k, U_v):
    """(10.7): pixels look at n pixels and one time token, with a key and a value of its own."""
    time = time[:, None]  # one token: (B, 1, d_time)
    k = torch.cat([x @ W_k, time @ U_k], dim=1)
    v = torch.cat([x @ W_v, time @ U_v], dim=1)
    scores = x @ W_q @ k.mT / k.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v


def _cases(generator):
    return [
        {
            "x": normal((b, n, d_x), generator),
            "time": normal((b, d_time), generator),
            "W_q": matrix(d_x, d, generator),
            "W_k": matrix(d_x, d, generator),
            "W_v": matrix(d_x, d_v, generator),
            "U_k": matrix(d_time, d, generator),
            "U_v": matrix(d_time, d_v, generator),
        }
        for b, n, d_x, d_time, d, d_v in SIZES
    ]


def _tokens(x, time, W_q, W_k, W_v, U_k, U_v):
    """Queries, keys and values of the pixels, key and value of the time."""
    time = time[:, None]
    return x @ W_q, x @ W_k, x @ W_v, time @ U_k, time @ U_v


def _joined(*parts):
    return torch.cat(parts, dim=1)


def _joint(q, k, v, k_time, v_time, **faults):
    """Pixels look at pixels and, in the same softmax, at the time."""
    return look(q, _joined(k, k_time), _joined(v, v_time), **faults)


def _all_times(q, k, v, k_time, v_time):
    times = (part.transpose(0, 1).expand(len(part), -1, -1) for part in (k_time, v_time))
    return _joint(q, k, v, *times)


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
    label="10.7",
    statement=(
        "look_with_time(x, time, W_q, W_k, W_v, U_k, U_v): (10.7) with one head. Pixels x "
        "(B, n, d_x) look at the n pixels and at one token made from time (B, d_time), with key "
        "time U_k and value time U_v."
    ),
    reference=look_with_time,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two batches; all sizes differ, but once keys and values have one width.",
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
            "Your pixels look at pixels alone; (10.7) has n + 1 keys and values, one of the time.",
            "10.7",
        ),
        Misconception(
            "time alone",
            _with(lambda q, k, v, k_time, v_time: look(q, k_time, v_time)),
            "Your pixels look at the time alone, where by (10.2) every weight is 1; (10.7) has "
            "n + 1 tokens.",
            "10.7",
        ),
        Misconception(
            "time beside the softmax",
            _with(lambda q, k, v, k_time, v_time: look(q, k, v) + v_time),
            "The time's value is added in full (adding it to every token's key and value comes to "
            "the same); as one of the n + 1 tokens of (10.7) it gets a share.",
            "10.7",
        ),
        Misconception(
            "the time asks too",
            _time_asks_too,
            "Your result has a row for the time, which asks, too; in (10.7) only the n pixels ask, "
            "and the time answers.",
            "10.7",
        ),
        Misconception(
            "softmax over the queries",
            _with(lambda *parts: _joint(*parts, axis=-2)),
            "Your weights sum to 1 over the pixels that ask; with the keys of (10.7) each pixel "
            "shares out its own 1 among n + 1 tokens.",
            "10.7",
        ),
        Misconception(
            "no root",
            _with(lambda *parts: _joint(*parts, width=1)),
            "Your scores are bare products; (10.1) divides them by the root of the width of a "
            "query.",
            "10.1",
        ),
        Misconception(
            "times of all samples",
            _with(_all_times),
            "Your pixels hear the times of all samples of the batch; in (10.7) there is one time "
            "token, the sample's own.",
            "10.7",
        ),
        Misconception(
            "first sample's time",
            _with(
                lambda q, k, v, k_time, v_time: _joint(
                    q, k, v, k_time[:1].expand_as(k_time), v_time[:1].expand_as(v_time)
                )
            ),
            "Every sample hears the time of the first one; in (10.7) each has a time of its own.",
            "10.7",
        ),
        Misconception(
            "key first, value last",
            _with(lambda q, k, v, k_time, v_time: look(q, _joined(k_time, k), _joined(v, v_time))),
            "The time's key stands first and its value last (or the reverse), so that each "
            "weight meets another token's value; (10.7) has both in one row.",
            "10.7",
        ),
        Misconception(
            "key and value exchanged",
            lambda x, time, W_q, W_k, W_v, U_k, U_v: look_with_time(
                x, time, W_q, W_k, W_v, U_v, U_k
            ),
            "U_k and U_v have changed places; in (10.7) U_K makes the key of the time and U_V "
            "its value.",
            "10.7",
        ),
        Misconception(
            "root of the image's width",
            lambda x, *others: _with(
                lambda q, k, v, k_time, v_time: _joint(q, k, v, k_time, v_time, width=x.shape[-1])
            )(x, *others),
            "You divided by the root of the width of x; d of (10.1) is the width of a query, "
            "after its projection.",
            "10.1",
        ),
        Misconception(
            "divided by d",
            _with(
                lambda q, k, v, k_time, v_time: _joint(
                    q, k, v, k_time, v_time, width=q.shape[-1] ** 2
                )
            ),
            "You divided the scores by d; (10.1) divides them by the root of d.",
            "10.1",
        ),
        Misconception(
            "one time for each pixel",
            _with(
                lambda q, k, v, k_time, v_time: _joint(
                    q, k, v, k_time.expand_as(k), v_time.expand(-1, k.shape[1], -1)
                )
            ),
            "The time stands there once for each pixel, 2n tokens in all, and drowns no more; in "
            "(10.7) it is one token beside n.",
            "10.7",
        ),
        Misconception(
            "the time's value missing",
            _with(lambda q, k, v, k_time, v_time: _joint(q, k, v, k_time, 0 * v_time)),
            "The time takes its weight, and its value is never added; in (10.7) V has a row for "
            "the time, too.",
            "10.7",
        ),
    ),
    together=(
        Both(
            "one matrix for the time",
            "no root",
            _with(lambda q, k, v, k_time, v_time: _joint(q, k, v, k_time, k_time, width=1)),
        ),
    ),
    hints=(
        "How many rows have the queries, the keys and the values? Only two of the three grow.",
        "Give the time an axis of one token: (B, 1, d_time). Then it can stand beside the pixels.",
        "Keys: those of the pixels, then one more. Values likewise. After that all is as before.",
    ),
    where=at_entry,
)
