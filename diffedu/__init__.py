"""Diffusion models from the first formula to a trained attention UNet, every step checked."""

__version__ = "0.1.0"
