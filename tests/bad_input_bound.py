"""Wrong arguments of the bound without sampling and of the deterministic way; see bad_input.py."""

import torch

from diffedu.diffusion import exact, exact_bound, ode

MODULES = (exact_bound, ode)
HALVES = torch.full((2,), 0.5, dtype=torch.float64)

BOUND = """
negative_log_likelihood(pair) -> mixture: expected one-dimensional data, got 2 dimensions
negative_log_likelihood(points(x[:, 0, :1])) -> sigma: expected values > 0, got 0.0
negative_log_likelihood(line, 100) -> points: expected an integer >= 101, got 100
negative_log_likelihood(line, 1e3) -> points: expected an integer >= 101, got 1000.0
negative_log_likelihood(thin) -> {too_thin}
unavoidable_error(pair, s) -> mixture: expected one-dimensional data, got 2 dimensions
unavoidable_error(points(x[:, 0, :1]), s) -> sigma: expected values > 0, got 0.0
unavoidable_error(line, 1000) -> s: expected a Schedule, got int
unavoidable_error(line, s, 2) -> points: expected an integer >= 101, got 2
best_variance(1000, var) -> s: expected a Schedule, got int
best_variance(s, var[1:]) -> error: expected shape (1001,), got (1000,)
best_variance(s, var.float()) -> error: expected dtype torch.float64, got torch.float32
best_variance(s, -f64(*range(1001))) -> error: expected values >= 0, got -1000.0
best_variance(s, 0.5) -> error: expected a tensor, got float
bound_terms(pair, s, var, var) -> mixture: expected one-dimensional data, got 2 dimensions
bound_terms(line, None, var, var) -> s: expected a Schedule, got NoneType
bound_terms(line, s, var[:9], var) -> variance: expected shape (1001,), got (9,)
bound_terms(line, s, 0 * var, var) -> variance[2:]: expected values > 0, got 0.0
bound_terms(line, s, var, var * nan) -> error: expected finite values, got nan
bound_terms(line, s, var, None) -> error: expected a tensor, got NoneType
bound_terms(line, s, var, var, 0.0) -> variance_1: expected values > 0, got 0.0
bound_terms(line, short, short.beta, short.beta) -> {too_short}, got T=1
"""

ODE = """
ode_step(x.tolist(), x, t, t, s) -> xt: expected a tensor, got list
ode_step(x, x[:, 0], t, t, s) -> eps_hat: expected shape (5, 3, 2), got (5, 2)
ode_step(x, x * nan, t, t, s) -> eps_hat: expected finite values, got nan
ode_step(x, x, t, t, 1000) -> s: expected a Schedule, got int
ode_step(x, x, t - 2, t, s) -> t: expected 0..1000, got -1
ode_step(x, x, t + 1, t, s) -> t: expected 0..1000, got 1001
ode_step(x, x, t, t - 2, s) -> t_next: expected 0..1000, got -1
ode_step(x, x, t, t + 1, s) -> t_next: expected 0..1000, got 1001
ode_step(x, x, t, t[:4], s) -> t_next: expected shape (5,), got (4,)
ode_step(x, x, t, 0, s) -> t_next: expected a tensor, got int
encode(None, x, s) -> model: expected a function, got NoneType
encode(model, x[:0], s) -> x0: expected at least one sample, got shape (0, 3, 2)
encode(model, x.long(), s) -> x0: expected a floating-point tensor, got torch.int64
encode(model, x, 1000) -> s: expected a Schedule, got int
encode(model, x, s, 0) -> steps: expected 1..1000, got 0
encode(model, x, s, 1001) -> steps: expected 1..1000, got 1001
encode(model, x, s, 2.5) -> steps: expected 1..1000, got 2.5
next(encode(small_model, x, s)) -> eps_hat: expected shape (5, 3, 2), got (5, 3)
next(encode(nan_model, x, s)) -> eps_hat: expected finite values, got nan
"""

TABLES = (BOUND, ODE)

# Where a message would make the line too long
LONG = {
    "too_thin": "points: expected at least 14001 for such narrow components, got 2001",
    "too_short": "s: expected T >= 2 or a variance_1, for want of beta-tilde_2",
}


def names() -> dict:
    """What these expressions use beside the names of bad_input.py."""
    public = {k: v for module in MODULES for k, v in vars(module).items() if k[0] != "_"}
    thin = exact.Mixture(HALVES, 0 * HALVES[:, None], torch.tensor([0.002, 0.7]).double())
    return public | {"line": exact.gaussian(0.0, 1.0), "thin": thin}
