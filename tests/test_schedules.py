"""The noise schedules beside loops in plain Python, diffusers and arithmetic with fifty digits."""

import dataclasses
import itertools
import math

import mpmath
import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.schedules import SCHEDULES, Schedule, cosine, linear, scaled_linear, sigmoid

CLOSE = {"rtol": 1e-12, "atol": 0}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def float64(values) -> torch.Tensor:
    return torch.tensor([float(value) for value in values], dtype=torch.float64)


def betas_of(curve) -> list:
    """beta_t = 1 - curve_t / curve_{t-1}, at most .999."""
    return [min(1 - now / before, 0.999) for before, now in itertools.pairwise(curve)]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


# The arrays


@pytest.mark.identity("1.4")
@every_schedule
def test_alpha_bar_is_the_product_of_all_alphas_so_far(make):
    s = make(60)
    wanted = [math.prod(1 - beta for beta in s.beta[1 : t + 1].tolist()) for t in range(61)]
    assert_close(s.alpha_bar, float64(wanted), **CLOSE)


def test_a_thousand_factors_cost_no_accuracy():
    s = linear(1000)
    product, wanted = mpmath.mpf(1), []
    for beta in s.beta.tolist():
        product *= 1 - mpmath.mpf(beta)
        wanted.append(product)
    assert_close(s.alpha_bar, float64(wanted), **CLOSE)
    assert f"{s.alpha_bar[1000]:.4e}" == "4.0358e-05"


@pytest.mark.identity("1.6")
@every_schedule
def test_snr_is_what_is_left_of_the_signal_over_the_noise(make):
    s = make(35)
    wanted = []
    for t in range(36):
        alpha_bar = math.prod(s.alpha[: t + 1].tolist())
        wanted.append(alpha_bar / (1 - alpha_bar) if t > 0 else math.inf)
    assert_close(s.snr, float64(wanted), rtol=1e-11, atol=0)


@every_schedule
def test_index_0_is_the_clean_data(make):
    s = make(40)
    assert s.T == 40
    entries = [array[0].item() for array in (s.beta, s.alpha, s.alpha_bar, s.snr)]
    assert entries == [0, 1, 1, math.inf]


@every_schedule
@pytest.mark.parametrize("T", [21, 25, 50, 333, 1000, 4000])
def test_signal_and_snr_fall_at_every_step_until_almost_nothing_is_left(make, T):
    s = make(T)
    assert s.T == T == len(s.beta) - 1
    assert ((s.beta[1:] > 0) & (s.beta[1:] < 1)).all()
    assert (s.alpha_bar.diff() < 0).all() and (s.snr.diff() < 0).all()
    assert 0 < s.alpha_bar[T] <= 1e-3


@every_schedule
def test_each_number_of_steps_is_either_refused_or_ends_in_noise(make):
    refused = []
    for T in range(1, 130):
        try:
            assert make(T).alpha_bar[T] <= 1e-3
        except ValueError:
            refused.append(T)
    assert refused == list(range(1, 21 if make in (linear, scaled_linear) else 2))


def test_from_beta_keeps_the_betas_in_float64_on_the_cpu_without_their_graph():
    beta = torch.tensor([0.3, 0.05, 0.6], requires_grad=True)
    s = Schedule.from_beta(beta)
    assert_close(s.beta, float64([0, *beta.tolist()]), rtol=0, atol=0)
    assert_close(s.alpha_bar, float64([1, 0.7, 0.7 * 0.95, 0.7 * 0.95 * 0.4]), rtol=1e-6, atol=0)
    assert not s.beta.requires_grad and not s.alpha_bar.requires_grad


def test_a_single_step_is_a_schedule_if_the_betas_are_given():
    s = Schedule.from_beta(float64([0.75]))
    assert s.T == 1
    assert_close(s.snr, float64([math.inf, 1 / 3]), **CLOSE)


def test_a_schedule_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        linear(50).beta = torch.zeros(51)


# The four shapes


@pytest.mark.identity("1.7")
@pytest.mark.parametrize("T", [25, 1000])
def test_linear_is_a_line_between_endpoints_scaled_by_1000_over_T(T):
    first, last = 1000 / T * 1e-4, 1000 / T * 0.02
    wanted = [first + (last - first) * (t - 1) / (T - 1) for t in range(1, T + 1)]
    assert_close(linear(T).beta[1:], float64(wanted), **CLOSE)


@pytest.mark.identity("1.8")
@pytest.mark.parametrize("T", [25, 1000])
def test_scaled_linear_is_the_square_of_a_line_between_roots(T):
    first, last = math.sqrt(1000 / T * 1e-4), math.sqrt(1000 / T * 0.02)
    wanted = [(first + (last - first) * (t - 1) / (T - 1)) ** 2 for t in range(1, T + 1)]
    assert_close(scaled_linear(T).beta[1:], float64(wanted), **CLOSE)


def test_endpoints_of_your_own_are_scaled_too():
    for make in (linear, scaled_linear):
        s = make(200, beta_1=0.002, beta_T=0.05)
        assert_close(s.beta[[1, 200]], float64([0.01, 0.25]), **CLOSE)


def test_the_total_noise_hardly_depends_on_the_number_of_steps():
    """Without the scaling T=50 would end at .603: mostly signal."""
    unscaled = math.prod(1 - 1e-4 - (0.02 - 1e-4) * t / 49 for t in range(50))
    assert_close(unscaled, 0.603, rtol=0, atol=5e-4)
    ends = [-linear(T).alpha_bar[T].log().item() for T in (200, 1000, 4000)]
    assert_close(float64(ends), float64([10.1] * 3), rtol=0.06, atol=0)


@pytest.mark.identity("1.9")
@pytest.mark.parametrize(("T", "offset"), [(30, 0.008), (1000, 0.008), (80, 0.3)])
def test_cosine_is_a_squared_cosine_of_alpha_bar_with_beta_clipped_at_999(T, offset):
    curve = [
        mpmath.cos((mpmath.mpf(t) / T + offset) / (1 + offset) * mpmath.pi / 2) ** 2
        for t in range(T + 1)
    ]
    s = cosine(T, offset)
    # rounded: the ratio that is taken from 1, and the angle, which ends .0016 from pi/2
    assert_close(s.beta[1:], float64(betas_of(curve)), rtol=1e-12, atol=1e-15)
    assert s.beta[T] == 0.999
    before_the_clip = float64([value / curve[0] for value in curve[:T]])
    assert_close(s.alpha_bar[:T], before_the_clip, rtol=1e-9, atol=0)


def test_cosine_keeps_half_the_variance_for_half_of_the_time():
    """Squared, and of alpha_bar: the plain cosine would keep .7027 at t = 500."""
    assert_close(cosine(1000).alpha_bar[500].item(), 0.4938, rtol=0, atol=5e-5)


@pytest.mark.identity("1.10")
@pytest.mark.parametrize(
    ("T", "start", "end", "tau"),
    [(30, -3.0, 3.0, 1.0), (1000, -3.0, 3.0, 1.0), (90, 0.0, 3.0, 0.3), (50, -20.0, 2.0, 0.9)],
)
def test_sigmoid_is_a_falling_sigmoid_of_alpha_bar(T, start, end, tau):
    def sigma(x):
        return 1 / (1 + mpmath.exp(-x / mpmath.mpf(tau)))

    curve = [
        sigma(end) - sigma(start + mpmath.mpf(t) / T * (end - mpmath.mpf(start)))
        for t in range(T + 1)
    ]
    s = sigmoid(T, start, end, tau)
    assert_close(s.beta[1:], float64(betas_of(curve)), rtol=1e-12, atol=1e-15)
    assert s.beta[T] == 0.999
    assert_close(s.alpha_bar[:T], float64([c / curve[0] for c in curve[:T]]), rtol=1e-9, atol=0)


# Another library


@pytest.mark.parametrize(
    ("theirs", "make", "rtol"),
    # It computes in float32, whose rounding is 6e-8: once for the cosine, of numbers up to .02 in
    # a line that starts at 1e-4, and of roots that are squared afterwards.
    [
        ("linear", linear, 2e-7),
        ("scaled_linear", scaled_linear, 5e-7),
        ("squaredcos_cap_v2", cosine, 1e-7),
    ],
)
def test_the_betas_are_those_of_diffusers(theirs, make, rtol):
    from diffusers import DDPMScheduler

    reference = DDPMScheduler(1000, beta_start=1e-4, beta_end=0.02, beta_schedule=theirs)
    assert_close(make(1000).beta[1:], reference.betas.double(), rtol=rtol, atol=0)


# Refusals


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: linear(20), r"T: expected more than 20 steps, .*, got 20"),
        (lambda: scaled_linear(7), r"T: expected more than 20 steps, .*, got 7"),
        (lambda: linear(100, beta_T=0.2), r"T: expected more than 200 steps, .*, got 100"),
        (lambda: linear(500, beta_T=0.002), r"T: expected linear to end with .*, got T=500"),
        (lambda: cosine(1), r"T: expected .*, got .*1"),
        (lambda: sigmoid(1), r"T: expected .*, got .*1"),
        (lambda: Schedule.from_beta(float64([0.1, 1.0])), r"beta: expected 0 < beta < 1, got 1"),
        (lambda: Schedule.from_beta(float64([0.1, 1e-17])), r"beta: expected alpha_bar to fall"),
        (lambda: Schedule.from_beta(float64([1 - 1e-15] * 25)), r"beta: expected alpha_bar to"),
    ],
)
def test_what_is_no_schedule_is_refused(make, expected):
    with pytest.raises(ValueError, match=expected):
        make()


def test_the_smallest_beta_that_float64_can_tell_is_accepted():
    s = Schedule.from_beta(float64([0.1, 1e-15, 0.2]))
    assert s.alpha_bar[2] < s.alpha_bar[1]


def test_the_offered_schedules_go_by_their_names():
    assert {name: make.__name__ for name, make in SCHEDULES.items()} == {
        name: name for name in ("linear", "scaled_linear", "cosine", "sigmoid")
    }
