"""Wrong arguments and the complete message each of them gets, evaluated without any shape checker.

    python tests/bad_input.py

prints what every expression raised as JSON. `test_bad_input.py` runs it in a plain process: under
pytest the annotations are checked at run time, and would speak before our own messages do.
"""

import json

import torch

import bad_input_more
from diffedu.diffusion import exact, gaussian, losses, samplers, schedules

SCHEDULES = """
linear(0) -> T: expected an integer >= 1, got 0
linear(2.5) -> T: expected an integer >= 1, got 2.5
linear(True) -> T: expected an integer >= 1, got True
scaled_linear("50") -> T: expected an integer >= 1, got 50
linear(20) -> T: expected more than 20 steps, so that every beta stays below 1, got 20
linear(50, beta_1=0.0) -> beta_1: expected 0 < beta_1 < 1, got 0.0
linear(50, beta_1=-0.1) -> beta_1: expected 0 < beta_1 < 1, got -0.1
linear(2000, beta_T=1.0) -> beta_T: expected 0 < beta_T < 1, got 1.0
scaled_linear(50, beta_T=nan) -> beta_T: expected 0 < beta_T < 1, got nan
linear(50, beta_T="0.1") -> beta_T: expected 0 < beta_T < 1, got 0.1
cosine(1) -> T: expected an integer >= 2, got 1
cosine(2.5) -> T: expected an integer >= 2, got 2.5
sigmoid(1) -> T: expected an integer >= 2, got 1
cosine(50, s=-0.1) -> s: expected a finite number >= 0, got -0.1
sigmoid(50, start=3.0) -> start, end, tau: expected start < end and tau > 0, got (3.0, 3.0, 1.0)
sigmoid(50, start=None) -> start: expected a finite number, got None
sigmoid(50, end=inf) -> end: expected a finite number, got inf
sigmoid(50, tau=-1.0) -> tau: expected a number > 0, got -1.0
Schedule.from_beta([0.1, 0.2]) -> beta: expected a tensor, got list
Schedule.from_beta(f64(0.1, 0.2).numpy()) -> beta: expected a tensor, got ndarray
Schedule.from_beta(f64(0.1, 1.25)) -> beta: expected 0 < beta < 1, got 1.25
Schedule.from_beta(f64(0.0, 0.1)) -> beta: expected 0 < beta < 1, got 0.0
Schedule.from_beta(f64(0.1, nan)) -> beta: expected 0 < beta < 1, got nan
Schedule.from_beta(torch.tensor([1, 1])) -> beta: expected 0 < beta < 1, got 1
Schedule.from_beta(f64()) -> beta: expected shape (T,) with T >= 1, got (0,)
Schedule.from_beta(f64(0.1, 0.2)[None]) -> beta: expected shape (T,) with T >= 1, got (1, 2)
"""

GAUSSIAN = """
q_sample(x, steps(1, 2, 0, 4, 5), x, s) -> t: expected 1..1000, got 0
q_sample(x, steps(1, 2, 3, 4, 1001), x, s) -> t: expected 1..1000, got 1001
q_sample(x, t.float(), x, s) -> t: expected dtype torch.int64, got torch.float32
q_sample(x, t.int(), x, s) -> t: expected dtype torch.int64, got torch.int32
q_sample(x, 500, x, s) -> t: expected a tensor, got int
q_sample(x, [1, 2, 3, 4, 5], x, s) -> t: expected a tensor, got list
q_sample(x, torch.tensor(5), x, s) -> t: expected shape (B,), got ()
q_sample(x, t[:, None], x, s) -> t: expected shape (B,), got (5, 1)
q_sample(x, steps(1, 2, 3, 4, 5, 6), x, s) -> t: expected shape (5,), got (6,)
q_sample(x, t.to("meta"), x, s) -> t: expected device cpu, got meta
q_sample(x, t, x[:, :2], s) -> eps: expected shape (5, 3, 2), got (5, 2, 2)
q_sample(x, t, x.double(), s) -> eps: expected dtype torch.float32, got torch.float64
q_sample(x, t, x.to("meta"), s) -> eps: expected device cpu, got meta
q_sample(x, t, x * nan, s) -> eps: expected finite values, got nan
q_sample(x, t, None, s) -> eps: expected a tensor, got NoneType
q_sample(x.long(), t, x, s) -> x0: expected a floating-point tensor, got torch.int64
q_sample(x.numpy(), t, x, s) -> x0: expected a tensor, got ndarray
q_sample(x / 0, t, x, s) -> x0: expected finite values, got inf
q_sample(x[:0], t[:0], x[:0], s) -> x0: expected at least one sample, got shape (0, 3, 2)
q_sample(x[0, 0, 0], t, x, s) -> x0: expected shape (B, ...), got a single number
q_sample(x, t, x, 1000) -> s: expected a Schedule, got int
q_step(x, t, x[:4], s) -> eps: expected shape (5, 3, 2), got (4, 3, 2)
q_step(x[None], t, x[None], s) -> t: expected shape (1,), got (5,)
q_step(3.0, t, x, s) -> x_prev: expected a tensor, got float
draw_t(0, s, g) -> batch_size: expected an integer >= 1, got 0
draw_t(2.5, s, g) -> batch_size: expected an integer >= 1, got 2.5
draw_t(4, s, None) -> generator: expected a torch.Generator, got NoneType
draw_t(4, s, 0) -> generator: expected a torch.Generator, got int
posterior(x, x[:, 0], t, s) -> xt: expected shape (5, 3, 2), got (5, 2)
posterior(x, x, t - 1, s) -> t: expected 1..1000, got 0
posterior_variance(3, s) -> t: expected a tensor, got int
posterior_variance(t + 1, s) -> t: expected 1..1000, got 1001
x0_from_eps(x, t, x.half(), s) -> eps: expected dtype torch.float32, got torch.float16
eps_from_x0(x, t, -x / 0, s) -> x0: expected finite values, got -inf
v_from_x0_eps(x, x.tolist(), t, s) -> eps: expected a tensor, got list
x0_from_v(x, t, x[:, :, :1], s) -> v: expected shape (5, 3, 2), got (5, 3, 1)
eps_from_v(x.bool(), t, x, s) -> xt: expected a floating-point tensor, got torch.bool
as_eps_model(3, eps_from_x0, s) -> model: expected a function, got int
as_eps_model(model, "x0", s) -> to_eps: expected a function, got str
as_eps_model(small_model, eps_from_x0, s)(x, t) -> x0: expected shape (5, 3, 2), got (5, 3)
as_eps_model(nan_model, eps_from_v, s)(x, t) -> v: expected finite values, got nan
reverse_mean(x, None, t, s) -> eps_hat: expected a tensor, got NoneType
reverse_mean(x, x.double(), t, s) -> eps_hat: expected dtype torch.float32, got torch.float64
kl_gaussian(x, x - 1, x, x) -> variance_1: expected values > 0, got 0.0
kl_gaussian(x, x, x, -x) -> variance_2: expected values > 0, got -1.0
kl_gaussian(x, x, x, x * nan) -> variance_2: expected finite values, got nan
kl_gaussian(x, [1.0], x, x) -> variance_1: expected a tensor or a number, got list
kl_gaussian(0.5, x, x, x) -> mean_1: expected a tensor, got float
gaussian_log_prob(x, x, 0.0) -> sigma: expected values > 0, got 0.0
gaussian_log_prob(x, x[:1], 1.0) -> mean: expected shape (5, 3, 2), got (1, 3, 2)
decoder_log_prob(x * 0.5, x, 0.1) -> x0: {off_grid}, got 0.5
decoder_log_prob(x + 2 / 255, x, 0.1) -> x0: {off_grid}, got 1.0078431367874146
decoder_log_prob(x * nan, x, 0.1) -> x0: expected finite values, got nan
decoder_log_prob(x.half(), x.half(), 0.1) -> x0: {dtypes}, got torch.float16
decoder_log_prob(x, x, 0.1, levels=1) -> levels: expected an integer >= 2, got 1
decoder_log_prob(x, x, 0.0) -> sigma: expected values > 0, got 0.0
decoder_log_prob(x, x, nan) -> sigma: expected finite values, got nan
"""

LOSSES = """
l_simple(None, x, t, x, s) -> model: expected a function, got NoneType
l_simple(small_model, x, t, x, s) -> eps_hat: expected shape (5, 3, 2), got (5, 3)
l_simple(nan_model, x, t, x, s) -> eps_hat: expected finite values, got nan
l_simple_weight(s, var[1:]) -> variance: expected shape (1001,), got (1000,)
l_simple_weight(s, var.float()) -> variance: expected dtype torch.float64, got torch.float32
l_simple_weight(s, var - 1) -> variance: expected values >= 0, got -1.0
l_simple_weight(s, 0.01) -> variance: expected a tensor, got float
prior_term(x[:0], s) -> x0: expected at least one sample, got shape (0, 3, 2)
prior_term(x.long(), s) -> x0: expected a floating-point tensor, got torch.int64
vlb_term(model, x, x, t, s, var, "decoder") -> decoder: expected a function, got str
vlb_term(model, x, x, t, s, var * nan) -> variance: expected finite values, got nan
vlb_term(model, x, x, t, s, var * 0) -> variance[2:]: expected values > 0, got 0.0
vlb_term(model, x, x[:4], t, s, var) -> xt: expected shape (5, 3, 2), got (4, 3, 2)
vlb_term(model, x / 2, x, t, s, var) -> x0: {off_grid}, got 0.5
vlb_term(small_model, x, x, t, s, var) -> eps_hat: expected shape (5, 3, 2), got (5, 3)
vlb_term(model, x, x, t, s, var, variance_1=0.0) -> variance_1: expected values > 0, got 0.0
vlb(model, x, s, var, generator=None) -> generator: expected a torch.Generator, got NoneType
vlb(model, x * nan, s, var, generator=g) -> x0: expected finite values, got nan
bits_per_dim(x, 0) -> dims: expected an integer >= 1, got 0
bits_per_dim(3.0, 2) -> nats: expected a tensor, got float
decoder_variance(s, -1.0) -> variance_1: expected values > 0, got -1.0
decoder_variance(short) -> s: expected T >= 2 or a variance_1, for want of beta-tilde_2, got T=1
"""

SAMPLERS = """
ddpm_step(x, x, t, s, var[1:], x) -> variance: expected shape (1001,), got (1000,)
ddpm_step(x, x, t, s, var.float(), x) -> variance: expected dtype torch.float64, got torch.float32
ddpm_step(x, x, t, s, fixed_small, x) -> variance: expected a tensor, got function
ddpm_step(x, x, t, s, var, None) -> noise: expected a tensor, got NoneType
ddpm_step(x, x, t, s, var, x[0]) -> noise: expected shape (5, 3, 2), got (3, 2)
ddpm_step(x, x, t - 1, s, var, x) -> t: expected 1..1000, got 0
ddim_step(x, x, t, t - 1, s, 1.5, x) -> eta: expected 0 <= eta <= 1, got 1.5
ddim_step(x, x, t, t - 1, s, 0.5, None) -> noise: expected a tensor, got NoneType
ddim_step(x, x, t, steps(0, 3, 2, 1, 0), s, 0.0, None) -> t_next: expected less than t = 2, got 3
ddim_step(x, x, t, t - 2, s, 0.0, None) -> t_next: expected 0..999, got -1
ddim_step(x, x, t, 0, s, 0.0, None) -> t_next: expected a tensor, got int
ddpm(None, x, s, var, generator=g) -> model: expected a function, got NoneType
ddpm(model, x.numpy(), s, var, generator=g) -> xT: expected a tensor, got ndarray
ddpm(model, x, s, var, generator=None) -> generator: expected a torch.Generator, got NoneType
ddpm(model, x, s, var - 1, generator=g) -> variance: expected values >= 0, got -1.0
ddpm(model, x, s, var, generator=g, t=0) -> t: expected 1..1000, got 0
ddpm(model, x, s, var, generator=g, t=2.5) -> t: expected 1..1000, got 2.5
ddpm(model, x, s, var, generator=g, t=1001) -> t: expected 1..1000, got 1001
ddpm(model, x, s, var, generator=g, clip=1.0) -> clip: expected a function, got float
next(ddpm(small_model, x, s, var, generator=g)) -> eps_hat: expected shape (5, 3, 2), got (5, 3)
next(ddpm(nan_model, x, s, var, generator=g)) -> eps_hat: expected finite values, got nan
next(ddpm(model, x, s, var, generator=g, clip=cut)) -> clip(x0_hat): {x_shape}, got (5, 3)
ddim(model, x, s, 0) -> steps: expected 1..1000, got 0
ddim(model, x, s, 1001) -> steps: expected 1..1000, got 1001
ddim(model, x, s, 20, t=10) -> steps: expected 1..10, got 20
ddim(model, x, s, eta=1.5) -> eta: expected 0 <= eta <= 1, got 1.5
ddim(model, x, s, eta=0.5) -> generator: expected a torch.Generator, got NoneType
ddpm_strided(model, x, s, 2.5, generator=g) -> steps: expected 1..1000, got 2.5
ddpm_strided(model, x, s, 9, var, generator=g) -> variance: expected a function, got Tensor
ddpm_strided(model, x[:0], s, 9, generator=g) -> xT: expected at least one sample, got {empty}
strided_times(0, 1) -> T: expected an integer >= 1, got 0
strided_times(10, 11) -> steps: expected 1..10, got 11
"""

EXACT = """
Mixture(f64(0.25, 0.5), f64(1, 2)[:, None], f64(1, 1)) -> weight: expected a sum of 1, got 0.75
Mixture(f64(0, 1), f64(1, 2)[:, None], f64(1, 1)) -> weight: expected values > 0, got 0.0
Mixture([1.0], f64(1)[None], f64(1)) -> weight: expected a tensor, got list
Mixture(f64(1), f64(1)[None], 0.5) -> sigma: expected a tensor, got float
Mixture(f64(1), f64(1), f64(1)) -> {mixture}, got [(1,), (1,), (1,)]
Mixture(f64(1), f64(1, 2)[:, None], f64(1)) -> {mixture}, got [(1,), (2, 1), (1,)]
Mixture(f64(1), x[:1, 0], f64(1)) -> mean: expected dtype torch.float64, got torch.float32
Mixture(f64(1), f64(nan)[None], f64(1)) -> mean: expected finite values, got nan
Mixture(f64(1), f64(1)[None], f64(-1)) -> sigma: expected values >= 0, got -1.0
normal(0.0, -0.5) -> sigma: expected values >= 0, got -0.5
normal(0.0, 1.0, dims=0) -> dims: expected an integer >= 1, got 0
points([[1.0, 2.0]]) -> data: expected a tensor, got list
points(steps(1, 2)) -> data: expected a floating-point tensor, got torch.int64
points(x[:0]) -> data: expected at least one sample, got shape (0, 3, 2)
sample(pair, 0, g) -> n: expected an integer >= 1, got 0
sample(pair, 3, None) -> generator: expected a torch.Generator, got NoneType
noised(pair, -1, s) -> t: expected 0..1000, got -1
noised(pair, 1001, s) -> t: expected 0..1000, got 1001
log_density(pair, x[:, 0] * nan) -> x: expected finite values, got nan
log_density(pair, x) -> x: expected shape (B, 2), got (5, 3, 2)
log_density(points(x[:, 0]), x[:, 0]) -> sigma: expected values > 0, got 0.0
x0_mean(pair, x[:, :, 0], t, s) -> xt: expected shape (B, 2), got (5, 3)
x0_mean(pair, x[:, 0], t - 1, s) -> t: expected 1..1000, got 0
x0_variance(pair, x, t, s) -> xt: expected shape (B, 2), got (5, 3, 2)
eps_model(pair, s)(x[:, 0], t[:4]) -> t: expected shape (5,), got (4,)
"""

# Where a message would make the line too long
LONG = bad_input_more.LONG | {
    "off_grid": "expected one of 256 equally spaced values on [-1, 1]",
    "dtypes": "expected dtype torch.float32 or torch.float64",
    "x_shape": "expected shape (5, 3, 2)",
    "empty": "shape (0, 3, 2)",
    "mixture": "weight, mean, sigma: expected shapes (K,), (K, D), (K,)",
}


def table(text: str) -> list[tuple[str, str]]:
    """(expression, message) for each line."""
    pairs = [line.split(" -> ") for line in text.strip().splitlines()]
    return [(expression, message.format(**LONG)) for expression, message in pairs]


TABLES = (SCHEDULES, GAUSSIAN, LOSSES, SAMPLERS, EXACT, *bad_input_more.TABLES)
CASES = [case for text in TABLES for case in table(text)]


def names() -> dict:
    """What the expressions may use: the wing's public names and some right arguments."""
    modules = (exact, samplers, losses, gaussian, schedules)
    public = {k: v for module in modules for k, v in vars(module).items() if k[0] != "_"}
    s = schedules.linear(1000)
    own = {
        "nan": float("nan"),
        "inf": float("inf"),
        "f64": lambda *values: torch.tensor(values, dtype=torch.float64),
        "steps": lambda *values: torch.tensor(values),
        "s": s,
        "short": schedules.Schedule.from_beta(torch.tensor([0.5])),
        "var": gaussian.fixed_small(s),
        "x": torch.ones(5, 3, 2),
        "t": torch.tensor([1, 2, 500, 999, 1000]),
        "g": torch.Generator(),
        "model": lambda x, t: x,
        "small_model": lambda x, t: x[..., 0],
        "nan_model": lambda x, t: x * float("nan"),
        "cut": lambda x: x[..., 0],
        "normal": exact.gaussian,
        "pair": exact.gaussian(0.0, 1.0, dims=2),
    }
    return public | bad_input_more.names() | own


def outcome(expression: str, namespace: dict) -> str:
    """What the expression raised, in words."""
    try:
        value = eval(expression, namespace)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"no error, but {value!r}"[:200]


if __name__ == "__main__":
    namespace = names()
    print(json.dumps([outcome(expression, namespace) for expression, _ in CASES]))
