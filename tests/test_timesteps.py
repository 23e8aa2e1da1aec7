"""The four ways to draw t, against counting, exact sums over t, and the authors' resampler."""

import math

import numpy as np
import pytest
import torch

from diffedu.diffusion.schedules import linear
from diffedu.diffusion.timesteps import (
    LastLossSteps,
    SmoothedLossSteps,
    UniformSteps,
    WeightedLastLossSteps,
    draw_steps,
    importance_weight,
)

T = 23
S = linear(T)
KINDS = {
    "uniform": UniformSteps,
    "last loss": LastLossSteps,
    "weighted last loss": WeightedLastLossSteps,
    "smoothed": SmoothedLossSteps,
    "smoothed, half uniform": lambda s: SmoothedLossSteps(s, memory=3, uniform_share=0.5),
}
WEIGHTED = {name: kind for name, kind in KINDS.items() if name != "last loss"}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_weighted_kind = pytest.mark.parametrize("kind", WEIGHTED.values(), ids=WEIGHTED)
ALL_T = torch.arange(1, T + 1)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def history(seed, batches=120):
    """(t, losses) of some batches: smaller for larger t, noisy, in float32 as in training."""
    g = seeded(seed)
    for _ in range(batches):
        t = torch.randint(1, T + 1, (16,), generator=g)
        yield t, (torch.randn(16, generator=g).exp() / t).float()


def after_a_history(kind, seed=1):
    draw = kind(S)
    for t, losses in history(seed):
        draw.note(t, losses)
    return draw


def count_of(t):
    assert (t.dtype, t.ndim) == (torch.int64, 1)
    return torch.bincount(t, minlength=T + 1)


def looks_like(count, p):
    """Within five standard deviations everywhere, and 0 where nothing can be drawn."""
    n = count.sum()
    spread = (n * p * (1 - p)).sqrt()
    rare = 3 * (p > 0)  # a count around 1 is not normal
    return len(count) == T + 1 and ((count - n * p).abs() <= 5 * spread + rare).all()


@every_kind
def test_the_probabilities_are_those_of_steps_1_to_t(kind):
    for draw in (kind(S), after_a_history(kind)):
        p = draw.probability()
        assert p[0] == 0 and (p[1:] > 0).all()
        torch.testing.assert_close(sum(p.tolist()), 1.0, rtol=1e-12, atol=0)
        assert p.dtype == torch.float64 and len(p) == T + 1


@every_kind
def test_before_the_first_loss_every_step_is_equally_likely(kind):
    p = kind(S).probability().tolist()
    torch.testing.assert_close(p, [0.0] + [1 / T] * T, rtol=1e-12, atol=0)


@every_kind
def test_steps_are_drawn_as_often_as_their_probability_says(kind):
    for draw, seed in ((kind(S), 2), (after_a_history(kind), 3)):
        assert looks_like(count_of(draw.draw(60_000, seeded(seed))), draw.probability())
    assert draw.draw(5, seeded(4)).equal(draw.draw(5, seeded(4)))
    assert not draw.draw(50, seeded(4)).equal(draw.draw(50, seeded(5)))


def some_probabilities():
    """Over T steps, from even to extreme; index 0 is 0."""
    t = ALL_T.double()
    g = seeded(6)
    raw = [t**0, 1 / t, t**3, torch.rand(T, generator=g).double(), torch.exp(-t)]
    return [torch.cat([torch.zeros(1), r / r.sum()]) for r in raw]


@pytest.mark.parametrize("p", some_probabilities(), ids=range(5))
def test_drawn_steps_follow_any_probability(p):
    assert looks_like(count_of(draw_steps(p, 60_000, seeded(7))), p)


def test_a_step_without_probability_is_never_drawn():
    p = torch.zeros(T + 1, dtype=torch.float64)
    p[[1, T]] = torch.tensor([0.25, 0.75], dtype=torch.float64)
    count = count_of(draw_steps(p, 10_000, seeded(8)))
    assert set(count.nonzero().flatten().tolist()) == {1, T}
    assert abs(count[1] - 2500) < 5 * math.sqrt(10_000 * 0.25 * 0.75)


LOSS = torch.rand(T, generator=seeded(9), dtype=torch.float64) * 3


def expectation(p, values):
    """sum_t p_t value_t, one step after the other."""
    return sum(p[t].item() * values[t - 1].item() for t in range(1, T + 1))


@pytest.mark.identity("4.13")
@pytest.mark.parametrize("p", some_probabilities(), ids=range(5))
def test_weighted_losses_average_to_the_plain_mean(p):
    mean = expectation(p, importance_weight(p, ALL_T) * LOSS)
    torch.testing.assert_close(mean, LOSS.mean().item(), rtol=1e-9, atol=0)


@pytest.mark.identity("4.13")
@every_weighted_kind
def test_the_weights_of_a_draw_leave_the_objective_what_it_is(kind):
    for draw in (kind(S), after_a_history(kind, seed=10)):
        mean = expectation(draw.probability(), draw.weight(ALL_T) * LOSS)
        torch.testing.assert_close(mean, LOSS.mean().item(), rtol=1e-9, atol=0)


@pytest.mark.identity("4.13")
@every_weighted_kind
def test_the_mean_over_drawn_steps_is_right_too(kind):
    draw = after_a_history(kind, seed=11)
    t = draw.draw(100_000, seeded(12))
    values = draw.weight(t) * LOSS[t - 1]
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - LOSS.mean()) < 5 * error


def test_weights_belong_to_the_steps_in_their_order():
    p = torch.tensor([0, 0.5, 0.2, 0.05, 0.25], dtype=torch.float64)
    expected = torch.tensor([5, 0.5, 1, 5, 1.25], dtype=torch.float64)
    weight = importance_weight(p, torch.tensor([3, 1, 4, 3, 2]))
    torch.testing.assert_close(weight, expected, rtol=1e-12, atol=0)


def test_uniform_steps_remember_nothing_and_weigh_everything_alike():
    draw, g = after_a_history(UniformSteps), seeded(13)
    t = draw.draw(7, g)
    assert draw.weight(t).tolist() == [1.0] * 7
    torch.testing.assert_close(draw.probability(), UniformSteps(S).probability())


def test_the_last_loss_of_each_step_decides_and_unseen_steps_count_as_1():
    draw = LastLossSteps(linear(21))
    for t, loss in (([4, 2], [9.0, 0.25]), ([4, 7], [0.5, 3.0]), ([21], [1e-9])):
        draw.note(torch.tensor(t), torch.tensor(loss, requires_grad=True))
    last = [0] + [{2: 0.25, 4: 0.5, 7: 3.0, 21: 1e-4}.get(t, 1.0) for t in range(1, 22)]
    expected = [loss / sum(last) for loss in last]
    torch.testing.assert_close(draw.probability().tolist(), expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("kind", [LastLossSteps, WeightedLastLossSteps])
def test_of_two_losses_of_one_step_either_is_kept(kind):
    draw = kind(S)
    draw.note(torch.tensor([5, 5]), torch.tensor([2.0, 3.0]))
    ratio = (draw.probability()[5] / draw.probability()[6]).item()
    assert ratio in (pytest.approx(2.0), pytest.approx(3.0))


def test_without_weights_the_last_losses_weigh_themselves():
    """Mean of the squared losses over mean of the losses: more than the mean loss."""
    draw = LastLossSteps(S)
    draw.note(ALL_T, LOSS)
    assert draw.weight(ALL_T).tolist() == [1.0] * T
    biased = expectation(draw.probability(), LOSS)
    expected = sum(loss**2 for loss in LOSS.tolist()) / sum(LOSS.tolist())
    torch.testing.assert_close(biased, expected, rtol=1e-9, atol=0)
    assert biased > 1.2 * LOSS.mean()


def test_one_lucky_loss_gives_its_step_a_huge_weight():
    draw = WeightedLastLossSteps(S)
    draw.note(torch.tensor([8]), torch.tensor([1e-7]))
    weight = draw.weight(torch.tensor([8, 9])).tolist()
    expected = [(T - 1 + 1e-4) / (T * loss) for loss in (1e-4, 1.0)]
    torch.testing.assert_close(weight, expected, rtol=1e-9, atol=0)


def of_the_authors(batches, memory, uniform_share):
    """Nichol, Dhariwal's LossSecondMomentResampler in their order of operations, t from 0."""
    kept, seen = np.zeros([T, memory]), np.zeros(T, dtype=int)
    for batch, losses in batches:
        for t, loss in zip(batch.numpy() - 1, losses.double().numpy(), strict=True):
            if seen[t] == memory:
                kept[t, :-1] = kept[t, 1:]
                kept[t, -1] = loss
            else:
                kept[t, seen[t]] = loss
                seen[t] += 1
    if not (seen == memory).all():
        return np.ones(T) / T
    weight = np.sqrt(np.mean(kept**2, axis=-1))
    weight /= np.sum(weight)
    weight *= 1 - uniform_share
    weight += uniform_share / T
    return weight


@pytest.mark.parametrize("batches", [3, 25, 120])
@pytest.mark.parametrize(("memory", "share"), [(10, 0.001), (1, 0.2), (4, 1.0)])
def test_smoothed_probabilities_are_those_of_the_authors(batches, memory, share):
    draw = SmoothedLossSteps(S, memory=memory, uniform_share=share)
    for t, losses in history(14, batches):
        draw.note(t, losses)
    expected = torch.from_numpy(of_the_authors(history(14, batches), memory, share))
    torch.testing.assert_close(draw.probability()[1:], expected, rtol=1e-9, atol=0)


def test_smoothed_steps_are_uniform_until_the_last_one_is_known():
    draw, uniform = SmoothedLossSteps(S, memory=4), UniformSteps(S).probability()
    for _ in range(4):
        draw.note(ALL_T[:-1], LOSS[:-1])
    for _ in range(4):
        torch.testing.assert_close(draw.probability(), uniform, rtol=0, atol=0)
        assert draw.weight(ALL_T).tolist() == pytest.approx([1.0] * T)
        draw.note(ALL_T[-1:], LOSS[-1:])
    size = 0.999 * LOSS / LOSS.sum() + 0.001 / T
    torch.testing.assert_close(draw.probability()[1:], size, rtol=1e-9, atol=0)


def test_every_step_keeps_its_uniform_share_and_a_bounded_weight():
    draw = SmoothedLossSteps(S, memory=1, uniform_share=0.05)
    draw.note(ALL_T, torch.zeros(T).double())
    torch.testing.assert_close(draw.probability(), UniformSteps(S).probability())
    draw.note(ALL_T[2:3], torch.tensor([7.0]))
    expected = [0.0] + [0.95 + 0.05 / T if t == 3 else 0.05 / T for t in range(1, T + 1)]
    torch.testing.assert_close(draw.probability().tolist(), expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(draw.weight(ALL_T).max().item(), 1 / 0.05, rtol=1e-9, atol=0)
