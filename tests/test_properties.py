"""What holds for every schedule, shape and dtype; hypothesis looks for the exceptions."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diffedu.diffusion.gaussian import (
    eps_from_v,
    eps_from_x0,
    fixed_large,
    fixed_small,
    gaussian_log_prob,
    posterior,
    posterior_variance,
    q_sample,
    q_step,
    reverse_mean,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)
from diffedu.diffusion.losses import l_simple, l_simple_weight, prior_term, vlb_term
from diffedu.diffusion.samplers import ddim_step, ddpm_step, strided_times
from diffedu.diffusion.schedules import SCHEDULES, Schedule, cosine, linear, sigmoid


def examples(n):
    return settings(deadline=None, derandomize=True, max_examples=n, database=None)


def is_sound(s):
    assert all(array.shape == (s.T + 1,) for array in (s.beta, s.alpha, s.alpha_bar, s.snr))
    assert (s.beta[0], s.alpha[0], s.alpha_bar[0]) == (0, 1, 1)
    assert ((s.beta[1:] > 0) & (s.beta[1:] < 1)).all()
    assert (s.alpha_bar.diff() < 0).all() and s.alpha_bar[-1] > 0
    assert s.snr[0] == math.inf and s.snr[1:].isfinite().all()
    return True


@examples(120)
@given(name=st.sampled_from(sorted(SCHEDULES)), T=st.integers(-1, 40) | st.integers(41, 4000))
def test_a_named_schedule_is_sound_or_refused_by_its_T(name, T):
    try:
        s = SCHEDULES[name](T)
    except ValueError as refused:
        assert str(refused).startswith("T: expected") and T <= 20
    else:
        assert is_sound(s) and s.T == T and s.alpha_bar[T] <= 1e-3


numbers = st.floats(-50, 50)
small = st.floats(0, 1)


@examples(150)
@given(
    make=st.one_of(
        st.builds(lambda T, s: lambda: cosine(T, s), st.integers(2, 300), st.floats(0, 3)),
        st.builds(lambda T, a, b: lambda: linear(T, a, b), st.integers(2, 300), small, small),
        st.builds(
            lambda T, a, b, tau: lambda: sigmoid(T, a, b, tau),
            st.integers(2, 300),
            numbers,
            numbers,
            st.floats(0, 5),
        ),
    )
)
def test_a_schedule_with_parameters_of_your_own_is_sound_or_refused(make):
    try:
        s = make()
    except ValueError as refused:
        assert ": expected " in str(refused)
    else:
        assert is_sound(s) and s.alpha_bar[-1] <= 1e-3


@examples(150)
@given(
    st.lists(
        st.one_of(st.floats(1e-20, 1), st.floats(1e-3, 0.9), st.floats(allow_nan=True)),
        min_size=1,
        max_size=30,
    )
)
def test_betas_of_your_own_are_a_sound_schedule_or_refused(betas):
    try:
        s = Schedule.from_beta(torch.tensor(betas, dtype=torch.float64))
    except ValueError as refused:
        assert str(refused).startswith("beta: expected")
    else:
        assert is_sound(s)
        torch.testing.assert_close(s.beta[1:].tolist(), betas, rtol=0, atol=0)


@st.composite
def schedules(draw):
    """A named schedule, or any betas that leave a trace of the data."""
    name = draw(st.sampled_from([*SCHEDULES, "from_beta"]))
    if name != "from_beta":
        return SCHEDULES[name](draw(st.integers(21, 4000)))
    betas = draw(st.lists(st.floats(1e-6, 0.999), min_size=2, max_size=50))
    assume(math.prod(1 - beta for beta in betas) > 1e-10)
    return Schedule.from_beta(torch.tensor(betas, dtype=torch.float64))


@st.composite
def batches(draw, dtypes, n=3):
    """A schedule, t, and n batches of the same shape: ([x, ...], t, s)."""
    s, dtype = draw(schedules()), draw(st.sampled_from(dtypes))
    dims = draw(st.lists(st.integers(1, 4), max_size=3))
    # the ends of the schedule are where things break
    step = st.integers(1, s.T) | st.sampled_from([1, 2, s.T - 1, s.T])
    t = torch.tensor(draw(st.lists(step, min_size=2, max_size=5)))
    g = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    x = torch.randn(n, len(t), *dims, generator=g, dtype=torch.float64).clamp(-4, 4)
    return list(x.to(dtype)), t, s


WIDE = (torch.float32, torch.float64, torch.bfloat16)
ALL = (*WIDE, torch.float16)
BLOCKS = {
    "q_step": (lambda x, y, z, t, s: q_step(x, t, y, s), ALL),
    "q_sample": (lambda x, y, z, t, s: q_sample(x, t, y, s), ALL),
    "posterior mean": (lambda x, y, z, t, s: posterior(x, y, t, s)[0], ALL),
    "eps_from_x0": (lambda x, y, z, t, s: eps_from_x0(x, t, y, s), ALL),
    "v_from_x0_eps": (lambda x, y, z, t, s: v_from_x0_eps(x, y, t, s), ALL),
    "x0_from_v": (lambda x, y, z, t, s: x0_from_v(x, t, y, s), ALL),
    "eps_from_v": (lambda x, y, z, t, s: eps_from_v(x, t, y, s), ALL),
    "reverse_mean": (lambda x, y, z, t, s: reverse_mean(x, y, t, s), ALL),
    "ddpm_step": (lambda x, y, z, t, s: ddpm_step(x, y, t, s, fixed_large(s), z), ALL),
    # these divide by sqrt(alpha_bar), which may leave the range of float16
    "x0_from_eps": (lambda x, y, z, t, s: x0_from_eps(x, t, y, s), WIDE),
    "ddim_step": (lambda x, y, z, t, s: ddim_step(x, y, t, t // 2, s, 0.7, z), WIDE),
}


@pytest.mark.parametrize(("block", "dtypes"), BLOCKS.values(), ids=BLOCKS)
def test_a_result_is_finite_with_the_shape_dtype_and_device_of_x(block, dtypes):
    @examples(25)
    @given(batches(dtypes))
    def check(batch):
        (x, y, z), t, s = batch
        result = block(x, y, z, t, s)
        assert (result.shape, result.dtype, result.device) == (x.shape, x.dtype, x.device)
        assert result.isfinite().all()

    check()


@pytest.mark.parametrize(("block", "dtypes"), BLOCKS.values(), ids=BLOCKS)
def test_a_sample_depends_on_itself_alone(block, dtypes):
    @examples(15)
    @given(batches(dtypes), st.randoms(use_true_random=False))
    def check(batch, random):
        (x, y, z), t, s = batch
        result = block(x, y, z, t, s)
        order = random.sample(range(len(t)), len(t))
        shuffled = block(x[order], y[order], z[order], t[order], s)
        torch.testing.assert_close(shuffled, result[order])
        alone = block(x[:1], y[:1], z[:1], t[:1], s)
        torch.testing.assert_close(alone, result[:1])

    check()


@examples(40)
@given(batches([torch.float64]))
def test_the_predictions_lead_back_to_one_another(batch):
    (x0, eps, _), t, s = batch
    xt, close = q_sample(x0, t, eps, s), {"rtol": 1e-8, "atol": 1e-8}
    torch.testing.assert_close(x0_from_eps(xt, t, eps, s), x0, **close)
    torch.testing.assert_close(eps_from_x0(xt, t, x0, s), eps, **close)
    v = v_from_x0_eps(x0, eps, t, s)
    torch.testing.assert_close(x0_from_v(xt, t, v, s), x0, **close)
    torch.testing.assert_close(eps_from_v(xt, t, v, s), eps, **close)


@examples(60)
@given(schedules())
def test_the_posterior_variance_lies_between_0_and_beta(s):
    t = torch.arange(1, s.T + 1)
    variance = posterior_variance(t, s)
    torch.testing.assert_close(variance, fixed_small(s)[1:], rtol=0, atol=0)
    assert variance[0] == 0
    assert ((variance[1:] > 0) & (variance[1:] <= s.beta[2:])).all()
    weight = l_simple_weight(s, fixed_large(s))
    assert weight[0] == 0 and (weight[1:] > 0).all() and weight.isfinite().all()


@examples(40)
@given(batches([torch.float32, torch.float64]))
def test_losses_are_finite_one_number_a_sample_and_never_negative_where_they_must_not_be(batch):
    (x0, eps, eps_hat), t, s = batch
    xt = q_sample(x0, t, eps, s)
    losses = [
        l_simple(lambda x, t: eps_hat, x0, t, eps, s),
        prior_term(x0, s),
        vlb_term(lambda x, t: eps_hat, x0, xt, t, s, fixed_large(s), gaussian_log_prob),
    ]
    for loss in losses:
        assert (loss.shape, loss.dtype) == ((len(t),), x0.dtype)
        assert loss.isfinite().all()
    assert (losses[0] >= 0).all() and (losses[1] > -1e-12).all()
    assert (losses[2][t > 1] > -1e-6).all()  # a KL, up to the rounding of float32


@examples(60)
@given(st.integers(1, 4000).flatmap(lambda T: st.tuples(st.just(T), st.integers(1, T))))
def test_strided_times_rise_from_0_to_T(pair):
    T, steps = pair
    times = strided_times(T, steps)
    assert (len(times), times[0], times[-1]) == (steps + 1, 0, T)
    assert (times.diff() >= T // steps).all() and (times.diff() <= -(-T // steps)).all()
