"""What goes wrong in diffedu/diffusion/gaussian.py."""

from planting import Fault

HERE = "diffedu.diffusion.gaussian"
TESTS = ("tests/test_gaussian.py",)


def beta_for_its_root(original):
    from diffedu.shapes import per_sample

    def q_step(x_prev, t, eps, s):
        beta = s.beta[t.cpu()]
        return per_sample((1 - beta).sqrt(), x_prev) * x_prev + per_sample(beta, x_prev) * eps

    return q_step


def roots_forgotten(original):
    from diffedu.shapes import per_sample

    def q_sample(x0, t, eps, s):
        alpha_bar = s.alpha_bar[t.cpu()]
        return per_sample(alpha_bar, x0) * x0 + per_sample(1 - alpha_bar, x0) * eps

    return q_sample


def t_counted_from_zero(original):
    return lambda x0, t, eps, s: original(x0, (t - 1).clamp(min=1), eps, s)


def beta_for_beta_tilde(original):
    return lambda s: s.beta.clone()


def arguments_swapped(original):
    return lambda mean_1, variance_1, mean_2, variance_2: original(
        mean_2, variance_2, mean_1, variance_1
    )


FAULTS = (
    Fault("q_step: beta, not its root", f"{HERE}.q_step", beta_for_its_root, TESTS, ("1.1", "1.2")),
    Fault("q_sample: roots forgotten", f"{HERE}.q_sample", roots_forgotten, TESTS, ("1.5",)),
    Fault("q_sample: t from zero", f"{HERE}.q_sample", t_counted_from_zero, TESTS, ("1.5",)),
    Fault(
        "fixed_small: beta_t instead",
        f"{HERE}.fixed_small",
        beta_for_beta_tilde,
        ("tests/test_posterior.py",),
        ("2.8",),
    ),
    Fault("kl_gaussian: the other way round", f"{HERE}.kl_gaussian", arguments_swapped, TESTS),
)
