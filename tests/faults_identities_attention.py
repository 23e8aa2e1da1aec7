"""What goes wrong in the equations of notebook 06."""

import torch

from planting import Fault

OPERATORS = "diffedu.nets.operators"
TESTS = ("tests/test_identities_attention.py",)


def scores_of(q, k, mask=None, power=0.5):
    scores = q @ k.mT / q.shape[-1] ** power
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


def with_weights(weights):
    """attention_weights replaced by a function of q, k and mask."""
    return lambda original: lambda q, k, mask=None: weights(q, k, mask)


def divided_by_d(q, k, mask):
    return scores_of(q, k, mask, power=1).softmax(-1)


def not_divided(q, k, mask):
    return scores_of(q, k, mask, power=0).softmax(-1)


def over_the_queries(q, k, mask):
    return scores_of(q, k, mask).softmax(-2)


def hidden_after_the_softmax(q, k, mask):
    weights = scores_of(q, k).softmax(-1)
    return weights if mask is None else weights * mask


def not_summing_to_1(q, k, mask):
    """The exponentials, each over the largest."""
    scores = scores_of(q, k, mask)
    return (scores - scores.amax(-1, keepdim=True)).exp()


def first_key_preferred(q, k, mask):
    """A bias by place: a relative of a causal mask that slipped in."""
    scores = scores_of(q, k, mask)
    return (scores - 0.1 * torch.arange(k.shape[-2])).softmax(-1)


def keys_for_values(original):
    """k, cut or filled up to the width of v."""

    def attention(q, k, v, mask=None):
        filled = torch.cat([k, 0 * v], dim=-1)[..., : v.shape[-1]]
        return original(q, k, filled, mask)

    return attention


def softmax_of_the_answer(original):
    return lambda q, k, v, mask=None: original(q, k, v, mask).softmax(-1)


def halves_for_pairs(original):
    def sinusoidal_positions(n, d):
        table = original(n, d)
        return torch.cat([table[:, 0::2], table[:, 1::2]], dim=1)

    return sinusoidal_positions


def counted_from_1(original):
    return lambda n, d: original(n + 1, d)[1:]


def angles_that_grow_like_squares(original):
    """Position p gets the row of p^2: bounded, different everywhere, and no rotation."""
    return lambda n, d: original(n * n, d)[torch.arange(n) ** 2]


def nowhere(original):
    return lambda n, d: 0 * original(n, d)


def fault(name, replacement, *identities, room="operators"):
    target = f"diffedu.nets.{room}.{name.split(':')[0]}"
    return Fault(f"{name} (06)", target, replacement, TESTS, identities)


def hotter_is_sharper(original):
    return lambda self, q1, q2, temperature, d, scale: original(
        self, q1, q2, 1 / temperature, d, scale
    )


def always_divided(original):
    return lambda self, q1, q2, temperature, d, scale: original(
        self, q1, q2, temperature, d, "divided by √d"
    )


def coordinates_exchanged(original):
    return lambda self, q1, q2, temperature, d, scale: original(self, q2, q1, temperature, d, scale)


def of_the_explorer(name, replacement):
    target = f"diffedu.classroom.plots.live_attention.LookupFrames.{name.split(':')[0]}"
    return Fault(f"LookupFrames.{name}", target, replacement, ("tests/test_widgets_attention.py",))


FAULTS = (
    of_the_explorer("weights: hotter is sharper", hotter_is_sharper),
    of_the_explorer("weights: always divided", always_divided),
    of_the_explorer("__call__: coordinates exchanged", coordinates_exchanged),
    fault("attention: keys for values", keys_for_values, "6.1", "6.2", "6.4"),
    fault("attention: softmax of the answer", softmax_of_the_answer, "6.1", "6.2", "6.4"),
    fault(
        "attention_weights: divided by d",
        with_weights(divided_by_d),
        *("6.1", "6.2", "6.3", "6.5", "6.9"),
    ),
    fault("attention_weights: not divided", with_weights(not_divided), "6.1", "6.2", "6.3", "6.9"),
    Fault(
        "attention_weights: not divided, and asked by the denoiser",
        "diffedu.nets.operators.attention_weights",
        with_weights(not_divided),
        ("tests/test_identities_denoiser.py",),
        ("6.11",),
    ),
    fault(
        "attention_weights: over the queries",
        with_weights(over_the_queries),
        *("6.1", "6.4", "6.5"),
    ),
    fault(
        "attention_weights: hidden after the softmax",
        with_weights(hidden_after_the_softmax),
        "6.5",
    ),
    fault("attention_weights: over the largest", with_weights(not_summing_to_1), "6.4", "6.9"),
    fault(
        "attention_weights: first key preferred",
        with_weights(first_key_preferred),
        *("6.2", "6.6"),
    ),
    fault(
        "sinusoidal_positions: all sines first",
        halves_for_pairs,
        *("6.7", "6.8", "6.10"),
        room="positions",
    ),
    fault("sinusoidal_positions: counted from 1", counted_from_1, "6.7", room="positions"),
    fault(
        "sinusoidal_positions: squares",
        angles_that_grow_like_squares,
        *("6.7", "6.8", "6.10"),
        room="positions",
    ),
    fault("sinusoidal_positions: zero", nowhere, "6.6", "6.7", room="positions"),
)
