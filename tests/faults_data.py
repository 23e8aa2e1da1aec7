"""What goes wrong in diffedu/data.py."""

import torch

from planting import Fault

HERE = "diffedu.data"


def grey_levels_from_zero(original):
    def digits():
        images, labels = original()
        return (images + 1) / 2, labels

    return digits


def cut_in_the_middle(original):
    def digit_halves():
        from diffedu.data import digits

        images, labels = digits()
        return (images[:898], labels[:898]), (images[898:], labels[898:])

    return digit_halves


def nearest_pixel(original):
    def photo(name="china", side=128):
        whole = original(name, 427)
        return torch.nn.functional.interpolate(whole, size=(side, side), mode="nearest")

    return photo


def root_of_the_width(original):
    return lambda n, generator, noise=0.1: original(n, generator, noise**0.5)


def x_and_y_exchanged(original):
    return lambda n, generator, noise=0.05: original(n, generator, noise).flip(1)


def seven_of_eight(original):
    def ring(n, generator, noise=0.1):
        from diffedu.data import ring_components

        _, mean, _ = ring_components(noise)
        k = torch.randint(0, 7, (n,), generator=generator)
        z = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return mean[k] + noise * z

    return ring


def not_centred(original):
    def moons_components(noise=0.1):
        weight, mean, sigma = original(noise)
        return weight, mean + torch.tensor([0.5, 0.25]), sigma

    return moons_components


def equal_weights(original):
    def swiss_roll_components(noise=0.05):
        weight, mean, sigma = original(noise)
        return torch.full_like(weight, 1 / len(weight)), mean, sigma

    return swiss_roll_components


def variance_for_width(original):
    def ring_components(noise=0.1):
        weight, mean, sigma = original(noise)
        return weight, mean, sigma**2

    return ring_components


ROWS = (
    ("digits: from 0 to 1", f"{HERE}.digits", grey_levels_from_zero),
    ("digit_halves: not stratified", f"{HERE}.digit_halves", cut_in_the_middle),
    ("photo: nearest pixel", f"{HERE}.photo", nearest_pixel),
    ("moons: root of the width", f"{HERE}.moons", root_of_the_width),
    ("swiss_roll: x and y exchanged", f"{HERE}.swiss_roll", x_and_y_exchanged),
    ("ring: seven of eight", f"{HERE}.ring", seven_of_eight),
    ("moons_components: not centred", f"{HERE}.moons_components", not_centred),
    ("swiss_roll_components: equal weights", f"{HERE}.swiss_roll_components", equal_weights),
    ("ring_components: variance", f"{HERE}.ring_components", variance_for_width),
)
FAULTS = tuple(Fault(*row, ("tests/test_data.py",)) for row in ROWS)
