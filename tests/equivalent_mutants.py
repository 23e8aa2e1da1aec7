"""Mutants that compute the same on every input that makes sense, each with the reason why."""

SQUARED = "the difference is squared"
DTYPE = "which of two equal dtypes comes first"
PRIOR = "the prior has mean 0 and variance 1"
SAMPLES = "every sample has the same size"
TWICE = "c0 is squared, so its sign drops out"
AXES = "no input has a single axis: a batch of bare numbers is no data in this exercise"
GRID = "belongs to the check that x_0 lies on the grid, which raises nothing for these inputs"
TAIL = "keeps the digits far out in the tails, where a learner's difference of two CDFs is 0"

_KL = {
    "kl_gaussian: mean_1 - mean_2 -> mean_2 - mean_1": SQUARED,
    "kl_gaussian: torch.result_type(mean_1, mean_2) -> torch.result_type(mean_2, mean_1)": DTYPE,
}
_LOSS = {
    "l_simple: eps - _predict(model, xt, t) -> _predict(model, xt, t) - eps": SQUARED,
    "mean_over_sample: x.ndim > 1 -> x.ndim >= 1": AXES,
}


def _weighted_error(name: str) -> dict[str, str]:
    return {
        f"{name}: 1 - s.alpha_bar[t] -> s.alpha_bar[t] - 1": TWICE,
        f"{name}: x0 - x0_hat -> x0_hat - x0": SQUARED,
        f"{name}: x0[0] -> x0[0 + 1]": SAMPLES,
        f"{name}: x0[0] -> x0[0 - 1]": SAMPLES,
    }


EQUIVALENT = {
    "gaussian_kl": _KL,
    "row_distance": {"row_distance: a - b -> b - a": "the absolute value drops the sign"},
    "prior_cost": {
        **_KL,
        "kl_gaussian: (mean_1 - mean_2) ** 2 / variance_2 -> (mean_1 - mean_2) ** 2 * variance_2": (
            PRIOR
        ),
        "kl_gaussian: mean_1 - mean_2 -> mean_1 + mean_2": PRIOR,
        "kl_gaussian: variance_1 / variance_2 -> variance_1 * variance_2": PRIOR,
        "sum_over_sample: x.ndim > 1 -> x.ndim >= 1": AXES,
    },
    "step_cost": {
        **_weighted_error("step_cost"),
        "sum_over_sample: x.ndim > 1 -> x.ndim >= 1": AXES,
    },
    "repair_learned_cost": _weighted_error("repair_learned_cost"),
    "pixel_log_prob": {
        "_level: (position - level).abs() > 0.001 -> (position - level).abs() >= 0.001": GRID,
        "_level: level < 0 -> level <= 0": GRID,
        "_level: level > levels - 1 -> level >= levels - 1": GRID,
        "_level: levels - 1 -> 1 - levels": GRID,
        "_level: levels - 1 -> levels + 1": GRID,
        "_level: position - level -> level - position": GRID,
        "_level: position - level -> position + level": GRID,
        "_level: position.round() -> position": "these x_0 are on the grid up to a rounding error",
        "_log_cdf_difference: above + below -> above - below": TAIL,
        "_log_cdf_difference: above + below > 0 -> above + below >= 0": "at 0 both sides are equal",
    },
    "simple_loss": _LOSS,
    "repair_training_loss": _LOSS,
    "best_guess": {"best_guess: xt[:, None] - centre -> centre - xt[:, None]": SQUARED},
    "ddim_move": {
        "_ddim_move: (1 - alpha_bar_next - variance).clamp(min=0) -> "
        "1 - alpha_bar_next - variance": "the clamp catches a rounding error of -1e-17",
    },
}
