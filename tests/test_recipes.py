"""The two tasks of the study, whose best answer is known, against linear algebra and counting."""

import math
import statistics

import pytest
import torch

from diffedu import recipes
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import cosine, linear
from diffedu.recipes import BANDS, excess, images_task, ring_task

S = linear(1000)
PIXELS = [(row, column) for row in range(8) for column in range(8)]
# variance 1/4, correlation exp(-distance / 4 pixels)
COVARIANCE = torch.tensor(
    [[math.exp(-math.dist(a, b) / 4) / 4 for b in PIXELS] for a in PIXELS], dtype=torch.float64
)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images():
    return images_task(S)


@pytest.fixture(scope="module")
def ring():
    return ring_task(S)


@pytest.fixture(scope="module", params=["images", "ring"])
def task(request):
    return request.getfixturevalue(request.param)


def noised_covariance(alpha_bar):
    return alpha_bar * COVARIANCE + (1 - alpha_bar) * torch.eye(64).double()


# The images


def test_the_images_are_smooth_as_the_formula_says(images):
    assert (tuple(images.x0.shape), images.x0.dtype) == ((20_000, 1, 8, 8), torch.float32)
    x, n = images.x0.flatten(1).double(), 20_000
    variance = COVARIANCE.diag()
    assert (x.mean(0).abs() < 5 * (variance / n).sqrt()).all()
    # the scatter of a product of two normal numbers (Isserlis)
    spread = ((variance[:, None] * variance + COVARIANCE**2) / n).sqrt()
    assert ((x.T @ x / n - COVARIANCE).abs() < 5 * spread).all()


@pytest.mark.parametrize("s", [S, cosine(60)], ids=["linear", "cosine"])
def test_the_best_answer_about_images_is_a_linear_solve_at_each_t(s):
    best = images_task(s, n=3).best
    t = torch.tensor([1, s.T, 2, s.T // 2, 17, 2, s.T - 1])
    x = torch.randn(7, 1, 8, 8, generator=seeded(1), dtype=torch.float64)
    for one, step, answer in zip(x, t.tolist(), best(x, t), strict=True):
        alpha_bar = s.alpha_bar[step].item()
        solved = torch.linalg.solve(noised_covariance(alpha_bar), one.flatten())
        expected = (math.sqrt(1 - alpha_bar) * solved).view(1, 8, 8)
        torch.testing.assert_close(answer, expected, rtol=1e-8, atol=1e-8)
    half = best(x.float(), t)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half.double(), best(x, t), rtol=1e-4, atol=1e-4)


def test_the_quality_of_images_is_the_variance_of_their_brightness(images):
    true = sum(sum(row) for row in COVARIANCE.tolist()) / 64**2
    some = torch.randn(9, 1, 8, 8, generator=(g := seeded(2))) + torch.randn(
        9, 1, 1, 1, generator=g
    )
    means = [sum(one.flatten().tolist()) / 64 for one in some]
    expected = statistics.variance(means) / true
    torch.testing.assert_close(images.quality(some), expected, rtol=1e-5, atol=0)
    assert abs(images.quality(images.x0) - 1) < 5 * math.sqrt(2 / 20_000)


# The ring


def modes():
    return [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]


def test_the_points_of_the_ring_lie_close_to_eight_places(ring):
    assert (tuple(ring.x0.shape), ring.x0.dtype) == ((20_000, 2), torch.float32)
    away = torch.stack([ring.x0.double() - torch.tensor(mode).double() for mode in modes()])
    nearest = away.norm(dim=2).argmin(0)
    count = torch.bincount(nearest, minlength=8)
    assert (count - 2500).abs().max() < 5 * math.sqrt(20_000 / 8 * 7 / 8)
    offset = away[nearest, torch.arange(20_000)]
    # two coordinates of variance .03^2 each
    ratio = (offset**2).mean().item() / 0.03**2
    assert abs(ratio - 1) < 5 * math.sqrt(2 / 40_000)


def best_on_the_ring(x, t):
    """E[eps | x_t]: each mode's own answer, weighted by how likely x_t came from it."""
    a = S.alpha_bar[t].item()
    v = a * 0.03**2 + 1 - a
    away = [[u - math.sqrt(a) * m for u, m in zip(x, mode, strict=True)] for mode in modes()]
    size = [sum(u * u for u in each) / (2 * v) for each in away]
    likely = [math.exp(min(size) - each) for each in size]
    mean = [sum(w * d[i] for w, d in zip(likely, away, strict=True)) / sum(likely) for i in (0, 1)]
    return [math.sqrt(1 - a) * one / v for one in mean]


def test_the_best_answer_on_the_ring_weighs_the_eight_modes(ring):
    t = torch.tensor([1, 20, 80, 200, 400, 700, 1000] * 3)
    x = q_sample(ring.x0[:21].double(), t, torch.randn(21, 2, generator=seeded(3)).double(), S)
    expected = [
        best_on_the_ring(one, step) for one, step in zip(x.tolist(), t.tolist(), strict=True)
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(ring.best(x, t), expected, rtol=1e-6, atol=1e-6)


def test_the_quality_of_the_ring_is_the_share_within_three_sigma_of_a_mode(ring):
    at = {0.0: 3, 2.9: 4, 3.1: 2, 20.0: 5}  # distance in sigma: how many points there
    points = []
    for k, r in enumerate(r for r, n in at.items() for _ in range(n)):
        angle, (x, y) = 1.3 * k, modes()[k % 8]
        points.append([x + 0.03 * r * math.cos(angle), y + 0.03 * r * math.sin(angle)])
    assert ring.quality(torch.tensor(points)) == pytest.approx(7 / 14)
    inside = 1 - math.exp(-(3**2) / 2)  # Rayleigh
    spread = math.sqrt(inside * (1 - inside) / 20_000)
    assert abs(ring.quality(ring.x0) - inside) < 5 * spread


def test_the_tasks_are_the_same_every_time_and_as_large_as_asked_for():
    for make in recipes.TASKS.values():
        x0 = make(S, n=30).x0
        assert len(x0) == 30 and x0.equal(make(S, n=30).x0)


@pytest.mark.parametrize("step", [1, 60, 500, 990])
def test_no_multiple_of_the_best_answer_is_better(task, step):
    """The error of a conditional mean is uncorrelated with it, up to the scatter of the data."""
    t, n = torch.full((20_000,), step), 20_000
    eps = torch.randn(task.x0.shape, generator=seeded(step))
    best = task.best(q_sample(task.x0, t, eps, S), t)
    product = ((eps - best) * best).flatten(1).double().sum(1)
    assert abs(product.mean()) < 5 * product.std() / math.sqrt(n)


# What `excess` measures


def test_the_best_answer_has_no_excess(task):
    assert excess(task.best, task, S) == [0.0] * 4


@pytest.mark.parametrize("c", [0.5, -0.01])
def test_a_constant_offset_has_its_square_as_excess(task, c):
    found = excess(lambda x, t: task.best(x, t) + c, task, S)
    torch.testing.assert_close(found, [c * c] * 4, rtol=1e-3, atol=0)


def test_each_number_is_an_average_over_its_band(task):
    """An error of t / 1000 gives the mean of t^2 / 10^6 over the band's steps."""

    def off_by_t(x, t):
        return task.best(x, t) + (t / 1000).view(-1, *[1] * (x.ndim - 1))

    for found, (low, high) in zip(excess(off_by_t, task, S), BANDS, strict=True):
        squares = [(t / 1000) ** 2 for t in range(low, high + 1)]
        spread = statistics.pstdev(squares) / math.sqrt(4000)
        assert abs(found - statistics.mean(squares)) < 5 * spread


def test_every_model_is_asked_about_the_same_noisy_samples_of_both_ends_of_each_band(ring):
    asked = []
    for _ in range(2):
        shown = []
        excess(lambda x, t, shown=shown: shown.append((x, t)) or x, ring, S, n=9000)
        asked.append(shown)
    torch.testing.assert_close(asked[0], asked[1], rtol=0, atol=0)
    assert tuple((t.min().item(), t.max().item()) for _, t in asked[0]) == BANDS
    assert {len(t) for _, t in asked[0]} == {9000}


def test_a_model_that_says_nothing_misses_all_of_the_best_answer(images):
    """Its excess is E|best|^2 / 64: a trace, and its scatter another."""
    found = excess(lambda x, t: 0 * x, images, S)
    for one, (low, high) in zip(found, BANDS, strict=True):
        alpha_bar = S.alpha_bar[low : high + 1]
        power = [(1 - a) / torch.linalg.eigvalsh(noised_covariance(a)) for a in alpha_bar]
        mean = torch.stack([each.mean() for each in power])
        within = torch.stack([2 * (each**2).sum() / 64**2 for each in power])
        # the images come from 20 000, so they are drawn anew only in part
        spread = ((within.mean() + mean.var(correction=0)) * (1 / 4000 + 1 / 20_000)).sqrt()
        assert abs(one - mean.mean()) < 5 * spread
