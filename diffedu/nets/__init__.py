"""Networks: they know nothing of diffusion. They take (x, t) and return something like x."""
