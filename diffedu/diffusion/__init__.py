"""The mathematics of diffusion. This wing knows no network: a model is any function (x, t) -> eps_hat."""
