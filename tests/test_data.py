"""The data: equal to scikit-learn's own, and toy points that follow the density they come with."""

import functools
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import datasets

from diffedu import data
from diffedu.diffusion.exact import Mixture, log_density

# name: sampler, components, farthest coordinate on the curve
TOYS = {
    "moons": (data.moons, data.moons_components, 1.5),
    "swiss_roll": (data.swiss_roll, data.swiss_roll_components, 1.42),
    "ring": (data.ring, data.ring_components, 1.0),
}
NOISES = {"moons": (0.1, 0.2), "swiss_roll": (0.05, 0.15), "ring": (0.1, 0.25)}
SETTINGS = [(name, noise) for name, noises in NOISES.items() for noise in noises]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Chosen(np.random.RandomState):
    """Makes scikit-learn evaluate its spiral at the numbers we give instead of random ones."""

    def __init__(self, u):
        super().__init__(0)
        self.u = u

    def uniform(self, size):
        return self.u.reshape(size)


def sklearn_swiss_roll(u):
    points, _ = datasets.make_swiss_roll(len(u), noise=0, random_state=Chosen(u))
    return points[:, [0, 2]] / 10


def sklearn_moons(n):
    return np.split(datasets.make_moons(2 * n, shuffle=False)[0] - [0.5, 0.25], 2)


def trapezoid(n):
    weight = np.full(n, 1 / (n - 1))
    weight[[0, -1]] /= 2
    return weight


def slow_density(name, noise, x, nodes=4000):
    """A trapezoid sum of Gaussians along scikit-learn's own curve."""
    if name == "moons":
        curve, weight = np.concatenate(sklearn_moons(nodes)), np.tile(trapezoid(nodes) / 2, 2)
    elif name == "swiss_roll":
        curve, weight = sklearn_swiss_roll(np.linspace(0, 1, nodes)), trapezoid(nodes)
    else:
        angle = np.deg2rad(45 * np.arange(8))
        curve, weight = np.stack([np.cos(angle), np.sin(angle)], 1), np.full(8, 1 / 8)
    squared = sum((x[:, None, axis] - curve[:, axis]) ** 2 for axis in (0, 1))
    return np.exp(-squared / (2 * noise**2)) @ weight / (2 * np.pi * noise**2)


def stated_density(name, noise, x):
    """The density that the package states for these points."""
    return log_density(Mixture(*TOYS[name][1](noise)), torch.from_numpy(x)).exp().numpy()


@functools.cache
def grid(name, noise):
    """Edges, stated density in 180 x 180 cells, and a cell's area; outside is less than 1e-9."""
    reach = TOYS[name][2] + 6.5 * noise
    edges = np.linspace(-reach, reach, 181)
    middle = (edges[1:] + edges[:-1]) / 2
    x = np.stack(np.meshgrid(middle, middle, indexing="ij"), -1).reshape(-1, 2)
    return edges, stated_density(name, noise, x).reshape(180, 180), (2 * reach / 180) ** 2


def test_the_digits_are_those_of_sklearn_stretched_to_minus_one_and_one():
    raw = datasets.load_digits()
    images, labels = data.digits()
    expected = (raw.data.reshape(1797, 1, 8, 8) - 8) / 8
    np.testing.assert_array_equal(images.numpy(), expected.astype(np.float32), strict=True)
    np.testing.assert_array_equal(labels.numpy(), raw.target)
    np.testing.assert_array_equal(images.unique().numpy(), np.arange(-8, 9) / 8)


def test_the_halves_hold_every_digit_once_and_each_label_equally_often():
    images, labels = data.digits()
    (first, first_labels), (second, second_labels) = data.digit_halves()
    where = {picture.numpy().tobytes(): i for i, picture in enumerate(images)}
    found = [where[picture.numpy().tobytes()] for picture in torch.cat([first, second])]
    assert sorted(found) == list(range(1797))
    assert torch.equal(torch.cat([first_labels, second_labels]), labels[found])
    difference = first_labels.bincount() - second_labels.bincount()
    assert difference.abs().max() <= 1 and len(first) == 898


def test_the_halves_are_the_same_on_every_machine_and_every_day():
    np.random.seed(5)  # noqa: NPY002 - the old global state is what must not matter
    (first, _), (second, _) = data.digit_halves()
    stored = [hashlib.sha256(half.numpy().tobytes()).hexdigest()[:16] for half in (first, second)]
    assert stored == ["2eb98954b1925c6b", "beae997fa35103bc"]


@pytest.mark.parametrize("side", [61, 7])  # 427 = 7 * 61
@pytest.mark.parametrize("name", data.PHOTOS)
def test_a_photo_is_the_block_average_of_the_central_square(name, side):
    pixels = datasets.load_sample_image(f"{name}.jpg")[:, 106:533].astype(np.float64)
    blocks = pixels.reshape(side, 427 // side, side, 427 // side, 3).mean((1, 3))
    expected = torch.from_numpy(blocks / 127.5 - 1).permute(2, 0, 1)[None].float()
    torch.testing.assert_close(data.photo(name, side), expected, atol=2e-6, rtol=0)


def test_a_photo_averages_every_pixel_that_a_cell_touches_if_the_side_does_not_divide():
    pixels = datasets.load_sample_image("china.jpg")[:, 106:533].astype(np.float64)
    cells = [slice(427 * i // 128, -(-427 * (i + 1) // 128)) for i in range(128)]
    expected = [[pixels[row, column].mean((0, 1)) for column in cells] for row in cells]
    expected = torch.tensor(np.array(expected)).permute(2, 0, 1)[None].float() / 127.5 - 1
    torch.testing.assert_close(data.photo(), expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("name", data.PHOTOS)
def test_a_photo_in_full_size_keeps_its_256_levels_and_its_whole_range(name):
    image = data.photo(name, 427)
    levels = (image.double() + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)
    assert (image.min().item(), image.max().item()) == (-1.0, 1.0)


@pytest.mark.parametrize(("name", "noise"), SETTINGS)
def test_the_components_are_the_density_along_the_curve_of_sklearn(name, noise):
    x = data.moons(60, generator(1), 0.4).numpy()  # on the curve, beside it and far from it
    torch.testing.assert_close(
        torch.from_numpy(stated_density(name, noise, x)),
        torch.from_numpy(slow_density(name, noise, x)),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("noise", [0.02, 0.1])
@pytest.mark.parametrize("name", ["moons", "swiss_roll"])
def test_the_error_of_the_components_is_below_1e_7(name, noise):
    x = TOYS[name][0](8, generator(2), noise).numpy()
    expected = slow_density(name, noise, x, nodes=40_000)
    np.testing.assert_allclose(stated_density(name, noise, x), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("name", "noise"), SETTINGS)
def test_the_stated_density_has_area_one(name, noise):
    _, p, area = grid(name, noise)
    assert abs(p.sum() * area - 1) < 1e-8


@pytest.mark.parametrize(("name", "noise"), SETTINGS)
def test_the_log_density_of_the_points_averages_to_minus_the_entropy(name, noise):
    n = 2000
    _, p, area = grid(name, noise)
    log_p = np.log(np.maximum(p, 1e-300))
    mean = (p * log_p).sum() * area
    sigma = np.sqrt((p * (log_p - mean) ** 2).sum() * area / n)
    points = TOYS[name][0](n, generator(3), noise).numpy()
    assert abs(np.log(stated_density(name, noise, points)).mean() - mean) < 4 * sigma


@pytest.mark.parametrize(("name", "noise"), SETTINGS)
def test_the_points_fall_into_the_cells_of_a_grid_as_often_as_the_density_says(name, noise):
    n, cells, fine = 5000, 20, 9
    edges, p, area = grid(name, noise)
    expected = n * area * p.reshape(cells, fine, cells, fine).sum((1, 3)).ravel()
    points = TOYS[name][0](n, generator(4), noise).numpy()
    observed = np.histogram2d(*points.T, bins=[edges[::fine], edges[::fine]])[0].ravel()
    busy = expected > 5
    observed = np.append(observed[busy], n - observed[busy].sum())
    expected = np.append(expected[busy], n - expected[busy].sum())
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_the_curves_lie_on_those_of_sklearn():
    moons, roll = data.moons_components()[1].numpy(), data.swiss_roll_components()[1].numpy()
    upper, lower = sklearn_moons(5_000)
    ours = np.split(moons, 2)
    assert max(map(distance_to_line, ours, (upper, lower))) < 1e-6
    assert distance_to_line(roll, sklearn_swiss_roll(np.linspace(0, 1, 10_000))) < 1e-6


def distance_to_line(points, corners):
    """The largest distance of the points to a line through the corners."""
    start, way = corners[:-1], np.diff(corners, axis=0)
    along = ((points[:, None] - start) * way).sum(-1) / (way**2).sum(-1)
    nearest = start + along.clip(0, 1)[..., None] * way
    return np.sqrt(((points[:, None] - nearest) ** 2).sum(-1)).min(1).max()


def test_the_moons_are_centred_and_both_equally_full():
    weight, mean, sigma = data.moons_components(0.3)
    torch.testing.assert_close(weight @ mean, torch.zeros(2, dtype=torch.float64))
    assert weight[: len(weight) // 2].sum().item() == pytest.approx(0.5, abs=1e-12)
    assert sigma.unique().tolist() == [0.3]


@pytest.mark.parametrize("name", TOYS)
def test_the_points_depend_on_the_generator_alone(name):
    draw = TOYS[name][0]
    before = torch.random.get_rng_state()
    same, again, other = draw(50, generator(7)), draw(50, generator(7)), draw(50, generator(8))
    assert torch.equal(same, again) and not torch.isclose(same, other).any()
    assert torch.equal(torch.random.get_rng_state(), before)


BAD = {
    "photo('cat')": "name: expected one of china, flower, got cat",
    "photo('china', 0)": "side: expected 1..427, got 0",
    "photo('flower', 428)": "side: expected 1..427, got 428",
    "{toy}(0, g)": "n: expected an integer >= 1, got 0",
    "{toy}(5, g, 0.0)": "noise: expected a finite number >= 0.02, got 0.0",
    "{toy}(5, g, float('nan'))": "noise: expected a finite number >= 0.02, got nan",
    "{toy}(5, None)": "generator: expected a torch.Generator, got NoneType",
    "{toy}_components(0.01)": "noise: expected a finite number >= 0.02, got 0.01",
}
BAD = {text.format(toy=toy): message for toy in TOYS for text, message in BAD.items()}


@pytest.fixture(scope="module")
def messages():
    """What each bad expression raises, in a process of its own: without the checking of shapes."""
    program = (
        "import json, sys, torch; from diffedu.data import *\n"
        "g, said = torch.Generator(), {}\n"
        "for text in json.load(sys.stdin):\n"
        "    try: eval(text)\n"
        "    except ValueError as error: said[text] = str(error)\n"
        "json.dump(said, sys.stdout)"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, input=json.dumps([*BAD]), stdout=-1, text=True, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_argument_is_refused_with_what_was_expected(messages, bad):
    assert messages.get(bad) == BAD[bad]
