"""What the explorers show, as arrays: against formulas by hand, scipy, and plain loops."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from diffedu.classroom.views import (
    HISTOGRAM_EDGES,
    density_histogram,
    mosaic,
    noise_view,
    posterior_view,
    tour_view,
)
from diffedu.data import digits
from diffedu.diffusion.schedules import SCHEDULES, cosine, linear

SMALL = {name: make(40) for name, make in SCHEDULES.items()}


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_hand(name, t):
    """alpha_bar_t, multiplied up one factor at a time."""
    return math.prod(1 - beta for beta in SMALL[name].beta[1 : t + 1].tolist())


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("t", [1, 7, 40])
def test_the_noisy_picture_and_its_numbers_follow_from_alpha_bar(name, t):
    x0, eps = draw(1, 3, 5, 7).clamp(-1, 1), draw(1, 3, 5, 7, seed=1)
    view = noise_view(x0, t, SMALL[name], eps)
    alpha_bar = by_hand(name, t)
    signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
    xt = signal * x0.double() + noise * eps.double()
    torch.testing.assert_close(view.xt, xt[0].float())
    assert (view.t, view.signal, view.noise) == (t, *map(pytest.approx, (signal, noise)))
    assert view.mean == pytest.approx(np.mean(xt.numpy()), abs=1e-6)
    assert view.std == pytest.approx(np.std(xt.numpy(), ddof=1), abs=1e-6)
    assert view.log_snr == pytest.approx(math.log(alpha_bar / (1 - alpha_bar)))
    expected = np.histogram(xt.numpy().ravel(), np.linspace(-4, 4, 41), density=True)[0]
    np.testing.assert_allclose(view.histogram.numpy(), expected, atol=1e-12)


def test_at_t_0_the_picture_is_clean_and_all_signal():
    x0 = draw(1, 1, 4, 6).clamp(-1, 1)
    view = noise_view(x0, 0, SMALL["cosine"], draw(1, 1, 4, 6, seed=1))
    assert torch.equal(view.xt, x0[0])
    assert (view.signal, view.noise, view.log_snr) == (1.0, 0.0, math.inf)


def test_on_wide_data_the_histogram_is_numpys_with_area_one():
    values = draw(5000, seed=2, dtype=torch.float64).clamp(-4, 4)
    histogram = density_histogram(values)
    expected, edges = np.histogram(values.numpy(), 40, (-4, 4), density=True)
    np.testing.assert_allclose(histogram.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(HISTOGRAM_EDGES.numpy(), edges, atol=1e-15)
    assert (histogram * 0.2).sum().item() == pytest.approx(1, abs=1e-12)


def test_values_beyond_the_histogram_count_as_missing_area():
    values = torch.tensor([-9.0, -4.0, 0.1, 0.15, 4.0, 4.01, 30.0, 2.3], dtype=torch.float64)
    shares = {0: 1 / 8, 20: 2 / 8, 31: 1 / 8, 39: 1 / 8}  # bin: share
    expected = [shares.get(k, 0) / 0.2 for k in range(40)]
    np.testing.assert_allclose(density_histogram(values).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("x0", "xt", "t"), [(1.0, -0.5, 8), (-2.0, 3.0, 20), (0.3, 0.0, 2)])
@pytest.mark.parametrize("name", SMALL)
def test_the_three_curves_are_scipys_normal_densities(name, x0, xt, t):
    view = posterior_view(x0, xt, t, SMALL[name])
    x = np.linspace(-4, 4, 801)
    np.testing.assert_allclose(view.grid.numpy(), x, atol=1e-15)
    before, alpha = by_hand(name, t - 1), 1 - SMALL[name].beta[t].item()
    prior = stats.norm(math.sqrt(before) * x0, math.sqrt(1 - before))
    likelihood = stats.norm(xt / math.sqrt(alpha), math.sqrt((1 - alpha) / alpha))
    assert_same_curve(view.prior, prior.pdf(x))
    assert_same_curve(view.likelihood, likelihood.pdf(x))
    assert_same_curve(view.posterior, stats.norm(view.mean, view.sigma).pdf(x))


def assert_same_curve(curve, expected):
    np.testing.assert_allclose(curve.numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("x0", "xt", "t"), [(1.0, -0.5, 8), (-1.2, 0.8, 14), (0.3, 0.0, 2)])
@pytest.mark.parametrize("name", SMALL)
def test_the_posterior_is_prior_times_likelihood_scaled_to_area_one(name, x0, xt, t):
    view = posterior_view(x0, xt, t, SMALL[name])
    x, before = np.linspace(-9, 9, 40001), by_hand(name, t - 1)
    beta = SMALL[name].beta[t].item()
    prior = np.exp(-((x - math.sqrt(before) * x0) ** 2) / (2 * (1 - before)))
    likelihood = np.exp(-((xt - math.sqrt(1 - beta) * x) ** 2) / (2 * beta))
    product = prior * likelihood / np.trapezoid(prior * likelihood, x)
    mean = np.trapezoid(x * product, x)
    assert view.mean == pytest.approx(mean, abs=1e-9)
    assert view.sigma == pytest.approx(math.sqrt(np.trapezoid((x - mean) ** 2 * product, x)))
    np.testing.assert_allclose(
        view.posterior.numpy(), np.interp(view.grid.numpy(), x, product), atol=1e-3
    )


def test_at_t_1_prior_and_posterior_are_a_point_at_x_0():
    view = posterior_view(0.7, -1.5, 1, SMALL["cosine"])
    assert (view.mean, view.sigma) == (0.7, 0.0)
    assert not view.prior.any() and not view.posterior.any()
    alpha = 1 - SMALL["cosine"].beta[1].item()
    likelihood = stats.norm(-1.5 / math.sqrt(alpha), math.sqrt((1 - alpha) / alpha))
    assert_same_curve(view.likelihood, likelihood.pdf(view.grid.numpy()))


@pytest.fixture(scope="module")
def tour():
    data = digits()[0][:300]
    eps = draw(3, 1, 8, 8, seed=3)
    s = cosine(60)
    return data, s, eps, tour_view(data, data[:3], s, eps, steps=12)


def test_the_tour_goes_into_pure_noise(tour):
    data, s, eps, view = tour
    assert view.t[: view.turn + 1] == [*range(0, 61, 5)] and view.turn == 12
    for frame, t in zip(view.frames[: view.turn + 1], view.t, strict=False):
        alpha_bar = math.prod(s.alpha[1 : t + 1].tolist())
        expected = math.sqrt(alpha_bar) * data[:3] + math.sqrt(1 - alpha_bar) * eps
        torch.testing.assert_close(frame, expected)
    torch.testing.assert_close(view.frames[view.turn], eps, atol=2e-3, rtol=0)


def test_the_way_back_is_ddim_with_the_average_of_the_digits_written_as_a_loop(tour):
    data, s, _, view = tour
    data = data.double().flatten(1).numpy()
    alpha_bar = s.alpha_bar.numpy()
    for k in range(3):
        x = view.frames[view.turn, k].double().numpy().ravel()
        for moment in range(view.turn, 2 * view.turn):
            now, then = (alpha_bar[view.t[m]] for m in (moment, moment + 1))
            loss = ((x - np.sqrt(now) * data) ** 2).sum(1) / (2 * (1 - now))
            weight = np.exp(loss.min() - loss)
            x0_hat = weight @ data / weight.sum()
            eps_hat = (x - np.sqrt(now) * x0_hat) / np.sqrt(1 - now)
            x = np.sqrt(then) * x0_hat + np.sqrt(1 - then) * eps_hat
            shown = view.frames[moment + 1, k].double().numpy().ravel()
            np.testing.assert_allclose(shown, x, atol=2e-4)
    assert len(view.frames) == len(view.t) == 2 * view.turn + 1


def test_the_tour_ends_at_digits_of_the_data_but_not_where_it_began(tour):
    data, _, _, view = tour
    distance = torch.cdist(view.frames[-1].flatten(1), data.flatten(1))
    assert distance.min(1).values.max() < 1e-3
    assert distance.argmin(1).tolist() != [0, 1, 2]


@pytest.mark.parametrize(("T", "steps"), [(60, 12), (27, 26), (31, 30)])
def test_the_way_back_visits_the_times_of_the_way_in(T, steps):
    data = digits()[0][:5]
    view = tour_view(data, data[:1], linear(T), draw(1, 1, 8, 8), steps)
    assert view.t == view.t[::-1]


def test_the_mosaic_is_laid_out_row_by_row():
    images = draw(6, 2, 3, 4)
    expected = torch.full((1, 2, 6, 12), math.nan)
    for k in range(6):
        row, column = divmod(k, 3)
        expected[0, :, row * 3 : row * 3 + 3, column * 4 : column * 4 + 4] = images[k]
    assert torch.equal(mosaic(images, 3), expected)


BAD = [
    (lambda x, s: mosaic(x, 4), "images: expected a multiple of 4, got 6"),
    (lambda x, s: noise_view(x, -1, s, x), "t: expected 0..40, got -1"),
    (lambda x, s: noise_view(x, 41, s, x), "t: expected 0..40, got 41"),
    (lambda x, s: posterior_view(0.0, 1.0, 0, s), "t: expected 1..40, got 0"),
    (lambda x, s: posterior_view(0.0, 1.0, 41, s), "t: expected 1..40, got 41"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_argument_is_refused_with_what_was_expected(call, message):
    with pytest.raises(ValueError) as error:
        call(draw(6, 1, 2, 3), SMALL["cosine"])
    assert str(error.value) == message
