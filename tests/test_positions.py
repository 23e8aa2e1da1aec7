"""Sinusoidal positions against Vaswani's formula one number at a time, and what they are for."""

import math

import pytest
import torch

from attention_parts import draws, map_by_loops
from diffedu.nets.attention import attention, positions_2d, sinusoidal_positions, to_map

ROUNDED = {"rtol": 0, "atol": 1e-7}


def vaswani(p, d):
    """PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i + 1) = cos(the same): section 3.5."""
    row = [0.0] * d
    for i in range(d // 2):
        row[2 * i] = math.sin(p / 10000 ** (2 * i / d))
        row[2 * i + 1] = math.cos(p / 10000 ** (2 * i / d))
    return row


def rows(n, d):
    return torch.tensor([vaswani(p, d) for p in range(n)])


@pytest.mark.parametrize(("n", "d"), [(1, 2), (7, 4), (5, 6), (50, 130), (3000, 8)])
def test_they_are_those_of_the_formula_rounded_once(n, d):
    positions = sinusoidal_positions(n, d)
    assert positions.dtype == torch.float32
    torch.testing.assert_close(positions, rows(n, d), **ROUNDED)


@pytest.mark.parametrize("shift", [1, 5, 33])
def test_a_shift_is_the_same_rotation_for_every_position(shift):
    d = 10
    positions = sinusoidal_positions(90, d).double()
    for i in range(d // 2):
        angle = shift * 10000 ** (-2 * i / d)
        turn = torch.tensor(
            [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
        ).double()
        pair = positions[:, 2 * i : 2 * i + 2]
        torch.testing.assert_close(pair[:-shift] @ turn.T, pair[shift:], rtol=0, atol=2e-7)


def test_the_product_of_two_depends_on_their_distance_alone():
    positions = sinusoidal_positions(40, 12).double()
    product = positions @ positions.T
    for distance in range(40):
        expected = sum(math.cos(distance * 10000 ** (-2 * i / 12)) for i in range(6))
        diagonal = product.diagonal(distance)
        torch.testing.assert_close(diagonal, torch.full_like(diagonal, expected), rtol=0, atol=2e-6)


def test_no_two_of_two_thousand_are_alike():
    distances = torch.cdist(sinusoidal_positions(2000, 16), sinusoidal_positions(2000, 16))
    assert (distances + torch.eye(2000)).min() > 0.1


@pytest.mark.parametrize(("h", "w", "d"), [(3, 5, 8), (5, 3, 12), (1, 4, 4), (4, 1, 20), (1, 1, 4)])
def test_a_pixel_carries_its_row_and_then_its_column(h, w, d):
    expected = [vaswani(i, d // 2) + vaswani(j, d // 2) for i in range(h) for j in range(w)]
    torch.testing.assert_close(positions_2d(h, w, d), torch.tensor(expected), **ROUNDED)


def test_rows_and_columns_fall_where_the_tokens_of_a_map_do():
    positions = positions_2d(3, 5, 8)
    image = to_map(positions[None], torch.zeros(1, 8, 3, 5))
    torch.testing.assert_close(image, map_by_loops(positions[None], 3, 5), rtol=0, atol=0)
    rows_of, columns_of = image[0, :4], image[0, 4:]
    assert (rows_of == rows_of[:, :, :1]).all() and (columns_of == columns_of[:, :1]).all()
    assert (rows_of.diff(dim=1)[0] != 0).all() and (columns_of.diff(dim=2)[0] != 0).all()


def test_attention_tells_the_order_of_its_tokens_only_with_them():
    (x,) = draws((2, 7, 6))
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])

    def missed(position):
        """How far attention over reordered tokens is from the reordered result."""
        straight = x + position
        mixed = x[:, order] + position
        after, before = attention(mixed, mixed, mixed), attention(straight, straight, straight)
        return (after - before[:, order]).abs().max()

    assert missed(0) < 1e-12
    assert missed(sinusoidal_positions(7, 6)) > 0.1
