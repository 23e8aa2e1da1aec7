"""The explorers of the bound and of the trajectories: controls, and numbers in the sentences."""

import re

import numpy as np
import pytest

from diffedu.classroom import widgets
from test_bound import GAPS


@pytest.fixture(scope="module")
def bound():
    return widgets.bound_explorer()


@pytest.fixture(scope="module")
def trajectory():
    return widgets.trajectory_explorer()


def test_the_bound_explorer_offers_every_number_of_steps_and_every_variance(bound):
    assert bound.controls["T"].options == (10, 30, 100, 300, 1000)
    assert list(bound.controls["variance"].options) == list(GAPS)
    assert bound.settings == {"T": 100, "variance": "beta-tilde"}


def test_the_trajectory_explorer_goes_from_pure_noise_down_to_the_data(trajectory):
    t, sampler = trajectory.controls["t"], trajectory.controls["sampler"]
    assert (t.value, t.min, t.max, t.step) == (100, 0, 100, 1)
    assert {len(view.xt) for view in trajectory.frames.views.values()} == {101}
    assert list(sampler.options) == ["DDPM, beta-tilde", "DDPM, beta", "DDIM, eta = 0"]


@pytest.mark.parametrize("choice", GAPS)
@pytest.mark.parametrize("T", [10, 100, 1000])
def test_the_sentence_under_the_bound_says_sum_likelihood_and_gap(bound, T, choice):
    words = bound.frames(T=T, variance=choice).words
    expected, total, nll, gap = re.fullmatch(
        r"(.*): the terms add up to (\S+) nats; the exact negative log-likelihood is (\S+); "
        r"the gap is (\S+)\.",
        words,
    ).groups()
    assert expected == f"T = {T}, variance {choice}"
    assert float(nll) == 0.907
    assert float(gap) == pytest.approx(GAPS[choice][(10, 100, 1000).index(T)], abs=6e-4)
    assert float(total) == pytest.approx(float(nll) + float(gap), abs=1.1e-3)


def test_the_sentence_under_the_trajectories_says_how_far_the_points_are_spread(trajectory):
    for sampler, view in trajectory.frames.views.items():
        for t in (0, 1, 50, 100):
            wide, predicted = (
                np.std(states[t].numpy(), axis=0, ddof=1).mean()
                for states in (view.xt, view.x0_hat)
            )
            assert trajectory.frames(t=t, sampler=sampler).words == (
                f"{sampler}, t = {t} of 100: x_t has standard deviation {wide:.2f}, "
                f"the predicted x_0 has {predicted:.2f}."
            )
