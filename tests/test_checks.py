"""`check` as a learner uses it: the card, the hints, the solution, the explanation."""

import html
import inspect
import re

import pytest
import torch

from diffedu.classroom.checks import check
from diffedu.classroom.checks.card import NOTEBOOKS, Card
from diffedu.classroom.checks.course import EXERCISES, Check
from diffedu.classroom.checks.record import Record
from diffedu.diffusion.gaussian import fixed_small, posterior_variance
from label_rules import labels_in
from test_layout import NOTEBOOKS as FILES

pytestmark = pytest.mark.usefixtures("own_record")


@pytest.fixture
def variance() -> Check:
    """A check of our own: hints are counted in it."""
    return Check(next(e for e in EXERCISES if e.name == "posterior_variance"), Record())


def standard_deviation(t, s):
    ratio = (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])
    return (ratio * s.beta[t]).sqrt()


def test_a_result_says_whether_it_passed_and_what_was_found(variance):
    wrong, right = variance(standard_deviation), variance(posterior_variance)
    assert (wrong.passed, right.passed) == (False, True)
    assert wrong.misconception == "variance used as std"
    assert right.misconception is None
    assert wrong.message.startswith("You returned the standard deviation; (2.7) asks for")
    assert "0 at t = 1" in right.message


def test_a_wrong_answer_is_told_where_and_how_much_and_what_next(variance):
    text = str(variance(lambda t, s: posterior_variance(t, s) + 0.25))
    assert "First clear difference: T = 1000, at t = " in text
    assert "off by 0.25" in text
    assert "Next: look at (2.7)" in text


def test_the_right_value_is_never_told(variance):
    case = variance.exercise.cases(torch.Generator().manual_seed(0))[0]
    right = posterior_variance(**case)
    right = right[right > 0]  # a 0 is in every text
    text = str(variance(lambda t, s: posterior_variance(t, s) + 0.25))
    assert not any(f"{value:.3g}" in text for value in right.tolist())
    assert not any(f"{value:.6f}" in text for value in right.tolist())


def test_text_and_html_say_the_same(variance):
    result = variance(standard_deviation)
    page = re.sub(r"<[^>]+>", "", result._repr_html_())
    for line in str(result).splitlines():
        assert line.replace("`", "") in html.unescape(page)


def test_labels_are_links_to_their_place(variance):
    page = variance(standard_deviation)._repr_html_()
    assert '<a href="02_the_posterior.ipynb#eq-2-7">(2.7)</a>' in page


def test_the_card_knows_the_files_of_the_notebooks():
    known = {name: number for number, name in NOTEBOOKS.items()}
    with_labels = {name for name, notebook in FILES.items() if labels_in(notebook)}
    assert with_labels - {"00_start_here.ipynb"} == set(known)
    assert all(int(name[:2]) == number for name, number in known.items())


def test_whatever_comes_from_the_learner_is_escaped():
    card = Card("<b>title</b>", ("`<i>` & co",), listing="</pre><script>")
    page = card.html()
    assert "<b>" not in page and "<i>" not in page and "<script>" not in page
    assert "<code>&lt;i&gt;</code> &amp; co" in page


def test_hints_come_one_by_one_and_the_last_one_stays(variance):
    hints = variance.exercise.hints
    given = [variance.hint() for _ in range(len(hints) + 2)]
    for k, hint in enumerate(hints):
        assert f"hint {k + 1} of {len(hints)}" in str(given[k])
        assert hint in str(given[k])
    assert str(given[-1]) == str(given[len(hints) - 1])


def test_the_solution_waits_for_an_attempt(variance):
    waits = str(variance.solution())
    assert "Try it first" in waits
    assert "def posterior_variance" not in waits
    variance(lambda t, s: ...)
    assert "Try it first" in str(variance.solution()), "a stub is no attempt"
    variance(standard_deviation)
    assert inspect.getsource(posterior_variance).rstrip() in str(variance.solution())


def test_the_solution_comes_at_once_if_one_says_so(variance):
    text = str(variance.solution(tried=True))
    for function in (posterior_variance, fixed_small):
        assert inspect.getsource(function).rstrip() in text


def test_the_solution_shows_the_private_helpers_that_hold_the_formula():
    text = str(check.jump.solution(tried=True))
    assert "def q_sample(" in text
    assert "def _signal_noise(" in text
    assert "def _check(" not in text
    assert text.count("def _signal_noise(") == 1


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_every_solution_can_be_shown(exercise):
    text = str(Check(exercise, Record()).solution(tried=True))
    assert f"def {exercise.reference.__name__}(" in text


def test_an_attempt_counts_in_another_kernel_too(variance):
    variance(standard_deviation)
    again = Check(variance.exercise, Record())
    assert "def posterior_variance" in str(again.solution())


@pytest.mark.slow
def test_an_explanation_computes_what_would_happen():
    text = str(check.ancestral_step.explain("variance used as std"))
    assert "0.0145" in text
    assert "0.2963" in text


def test_an_unknown_misconception_is_answered_with_the_nearest(variance):
    text = str(variance.explain("variance as std"))
    assert text.endswith("Did you mean: variance used as std")
    for name in (None, "", "zzz"):
        assert "variance used as std, beta for beta-tilde" in str(variance.explain(name))


def test_an_unknown_exercise_is_answered_with_the_nearest():
    with pytest.raises(AttributeError, match=r"did you mean check\.posterior_variance\?"):
        _ = check.posterior_varance
    with pytest.raises(AttributeError, match="no exercise is called zzz"):
        _ = check.zzz


def test_a_reshape_for_pictures_only_is_asked_about():
    def attempt(x0, t, eps, s):
        return 0.5 * x0 * s.alpha_bar[t].sqrt().view(-1, 1, 1, 1) + eps

    assert "Did you reshape for pictures only?" in str(check.jump(attempt))


def test_what_cannot_be_called_is_no_attempt(variance):
    for nothing in (None, ..., 3, lambda t: t):
        variance(nothing)
        assert "Try it first" in str(variance.solution())


def test_a_check_cannot_be_overwritten_and_the_list_not_called():
    with pytest.raises(AttributeError, match=r"hand your answer over with check\.jump\(\.\.\.\)"):
        check.jump = lambda x: x
    with pytest.raises(TypeError, match=r"check\.NAME\(your_function\)"):
        check(lambda x: x)


def test_an_error_in_a_helper_is_shown_where_it_was_called(variance):
    def helper(t):
        return t.sqroot()

    def attempt(t, s):
        return helper(t)

    text = str(variance(attempt))
    assert "in line 2 of your function, `return helper(t)`, (inside `helper`)" in text


def test_a_loss_that_cannot_train_is_no_right_answer():
    loss = check.simple_loss.exercise.reference
    result = check.simple_loss(lambda *arguments: loss(*arguments).detach())
    assert not result.passed
    assert "no gradient leads from this loss back to the network" in str(result)
    assert check.simple_loss(loss).passed


def test_steps_that_cannot_index_are_no_right_answer():
    def floats(batch_size, s, generator):
        return torch.randint(1, s.T + 1, (batch_size,), generator=generator).float()

    result = check.draw_steps(floats)
    assert not result.passed
    assert "they cannot index s.alpha_bar" in str(result)


def test_two_right_results_in_the_wrong_order_are_told_so():
    pair = check.posterior_by_precisions

    text = str(pair(lambda *arguments: pair.exercise.reference(*arguments)[::-1]))
    assert "in the wrong order" in text


def test_the_tab_key_finds_every_exercise():
    assert dir(check) == sorted(exercise.name for exercise in EXERCISES)
    assert "posterior_variance" in repr(check)
    assert "posterior_variance(t, s)" in repr(check.posterior_variance)


def test_the_same_attempt_gets_the_same_verdict_and_leaves_the_random_numbers_alone(variance):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    texts = {str(variance(lambda t, s: torch.randn(len(t)))) for _ in range(3)}
    assert torch.equal(before, torch.random.get_rng_state())
    assert len(texts) == 1
