"""Exercise: what self-attention makes of reordered tokens."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.nets.attention import attention


def shuffled_output(output, order):
    """Reordered like the tokens themselves: P Attention(X) (6.6)."""
    return output[order]


def _cases(generator):
    # no order is its own inverse; more features than tokens, so that both can be indexed
    orders = ([2, 0, 3, 4, 1], [1, 2, 0, 3], [5, 3, 0, 1, 2, 4])
    widths = (7, 9, 8)
    return [
        {"output": normal((len(order), d), generator), "order": torch.tensor(order)}
        for order, d in zip(orders, widths, strict=True)
    ]


EXERCISE = Exercise(
    name="shuffled_output",
    label="6.6",
    statement=(
        "shuffled_output(output, order): the output (n, d) of self-attention for the tokens "
        "X[order], from its output for X. No positions are added."
    ),
    reference=shuffled_output,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three orders of 4 to 6 tokens, none of which is its own inverse.",
    misconceptions=(
        Misconception(
            "nothing changes",
            lambda output, order: output.clone(),
            "You returned the output unchanged; what belongs to a token goes where the token goes, "
            "see (6.6).",
            "6.6",
        ),
        Misconception(
            "order undone",
            lambda output, order: output[order.argsort()],
            "You reordered by the inverse: row i of X[order] is token order[i], and by (6.6) the "
            "output follows in the same direction.",
            "6.6",
        ),
        Misconception(
            "features reordered",
            lambda output, order: output[:, order],
            "You reordered the features; in (6.6) P acts on the rows, which are the tokens.",
            "6.6",
        ),
        Misconception(
            "both axes reordered",
            lambda output, order: output[order][:, order],
            "Rows and columns are both reordered in your result: so are the weights, P A Pᵀ, but "
            "the output of (6.6) has P on one side only.",
            "6.6",
        ),
        Misconception(
            "one answer for all",
            lambda output, order: output.mean(0).expand_as(output),
            "You returned the mean, the same for every token; (6.6) reorders the answers, and "
            "does not merge them.",
            "6.6",
        ),
        Misconception(
            "backwards",
            lambda output, order: output.flip(0),
            "You turned the rows round whatever the order is; in (6.6) P is the order of the "
            "tokens.",
            "6.6",
        ),
        Misconception(
            "reordered twice",
            lambda output, order: output[order][order],
            "The rows are reordered twice; by (6.6) P appears once.",
            "6.6",
        ),
        Misconception(
            "attention once more",
            lambda output, order: attention(*(output[order],) * 3),
            "You applied attention to the output, a second time; by (6.6) its rows change places, "
            "and nothing else happens to them.",
            "6.6",
        ),
    ),
    hints=(
        "Row 0 of X[order] is the token order[0]. What does this token receive, and from whom?",
        "It receives from the same set of tokens as before. Does a mean depend on their order?",
        "So nobody's answer changes. Only the row in which it stands does.",
    ),
    where=at_entry,
)
