"""What is said to mistakes that belong to no exercise: each has words of its own."""

import pytest
import torch

from diffedu.classroom.checks.course import EXERCISES, Check
from diffedu.classroom.checks.record import Record
from diffedu.diffusion.gaussian import posterior_variance

pytestmark = pytest.mark.usefixtures("own_record")


@pytest.fixture
def variance() -> Check:
    """A check of our own: hints are counted in it."""
    return Check(next(e for e in EXERCISES if e.name == "posterior_variance"), Record())


HABITS = {
    "A second call with the same input": lambda t, s: torch.randn(len(t)),
    "gives back the numbers of t, unchanged": lambda t, s: t,
    "the same number for every input": lambda t, s: torch.full((len(t),), 0.5),
    "Everywhere your result is 3 times the right one": lambda t, s: 3 * posterior_variance(t, s),
    "the sign is wrong": lambda t, s: -posterior_variance(t, s),
    "right to two or three digits only": lambda t, s: posterior_variance(t, s).bfloat16(),
    "Shape: expected (5,), got (5, 2), for T = 1000": lambda t, s: posterior_variance(t, s)[
        :, None
    ].repeat(1, 2),
    "Shape: expected (5,), got (1, 5), for T = 1000": lambda t, s: posterior_variance(t, s)[None],
    "yours is NaN": lambda t, s: posterior_variance(t, s) * float("nan"),
    "Is a `return` missing?": lambda t, s: print(end=""),
    "takes (t); it is called by position with (t, s)": lambda t: t,
    "takes (t, *, s); it is called by position with (t, s)": lambda t, *, s: t,
    "off by +0.5 %. Is a constant rounded?": lambda t, s: 1.005 * posterior_variance(t, s),
    "changes its input `t`": lambda t, s: posterior_variance(t.sub_(1).add_(1).clamp_(max=9), s),
}


@pytest.mark.parametrize("words", HABITS)
def test_common_accidents_have_their_own_words(variance, words):
    result = variance(HABITS[words])
    assert not result.passed
    assert words.lower() in str(result).lower()


def test_a_formula_mistake_is_not_called_rounding(variance):
    text = str(variance(lambda t, s: posterior_variance(t, s) * (1 + 0.004 * (t % 2))))
    assert "rounded" not in text


def test_a_wrong_count_beside_a_large_right_one_is_not_called_rounding():
    counts = Check(next(e for e in EXERCISES if e.name == "multiplications"), Record())
    result = counts(lambda n, d, d_v: (n * n * (d + d_v), 2 * n * d * d_v + n + 1))
    assert not result.passed
    assert "rounded" not in str(result)


@pytest.fixture
def levels() -> Check:
    """The one check whose input is a list and whose answer is True or False."""
    return Check(next(e for e in EXERCISES if e.name == "attention_levels"), Record())


def lengthened(sizes):
    sizes.extend(reversed(sizes))
    return [h * w <= 256 for h, w in sizes]


def turned(sizes):
    found = [h * w <= 256 for h, w in sizes + sizes[::-1]]
    sizes.reverse()
    return found


def other_numbers(sizes):
    found = [h * w <= 256 for h, w in sizes + sizes[::-1]]
    sizes[0] = (8, 8)
    return found


def no_longer_numbers(sizes):
    found = [h * w <= 256 for h, w in sizes + sizes[::-1]]
    sizes[0] = ("64", torch.ones(2))
    return found


@pytest.mark.parametrize("attempt", [lengthened, turned, other_numbers, no_longer_numbers])
def test_a_list_that_was_changed_is_noticed(levels, attempt):
    result = levels(attempt)
    assert not result.passed
    assert "The numbers are right. Your function changes its input `sizes`" in str(result)


def test_a_list_that_was_only_read_is_not_called_changed(levels):
    assert levels(lambda sizes: [h * w <= 256 for h, w in [*sizes, *reversed(sizes)]]).passed


@pytest.mark.parametrize(
    ("limit", "words"), [(250, "yours is False, right is True"), (260, "yours is True, right is F")]
)
def test_true_and_false_are_not_called_numbers(levels, limit, words):
    text = str(levels(lambda sizes: [h * w <= limit for h, w in sizes + sizes[::-1]]))
    assert words in text
    assert "off by" not in text


def test_a_number_in_place_of_true_or_false_is_shown(levels):
    text = str(levels(lambda sizes: [0.7 for _ in sizes + sizes]))
    assert "yours is 0.7, right is False" in text


def test_largest_values_with_their_places_are_called_by_name():
    ceilings = Check(next(e for e in EXERCISES if e.name == "ceilings"), Record())
    assert "take `.values`" in str(ceilings(lambda k: k.softmax(-2).max(-1)))


def test_a_right_answer_that_changes_its_input_is_told_so(variance):
    def attempt(t, s):
        found = posterior_variance(t, s)
        t += 1
        return found

    result = variance(attempt)
    assert not result.passed
    assert "The numbers are right. Your function changes its input `t`" in str(result)
