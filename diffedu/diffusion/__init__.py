"""The mathematics of diffusion. It knows no network: a model is any function (x, t) -> eps_hat."""
