"""Both norms by hand, one mean and one variance at a time, and how far each of them hears."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from attention_parts import draws, redrawn, rolled_at
from diffedu.nets.norms import channel_norm, group_norm

GROUPS = {1: 1, 2: 1, 3: 1, 5: 1, 6: 3, 7: 1, 8: 4, 9: 3, 12: 6, 16: 8, 48: 8, 100: 5}
EPS = 1e-5  # torch's own


def normalised(values):
    """Mean 0 and variance 1 (the variance of all, not of a sample of them)."""
    mean = values.mean()
    return (values - mean) / (((values - mean) ** 2).mean() + EPS).sqrt()


def scaled(norm, x):
    return norm.weight.view(-1, 1, 1) * x + norm.bias.view(-1, 1, 1)


@pytest.mark.parametrize("channels", range(1, 130))
def test_the_groups_divide_the_channels_and_hold_two_or_more(channels):
    groups = group_norm(channels).num_groups
    possible = [g for g in range(1, 9) if channels % g == 0 and channels // g >= 2]
    assert groups == max(possible, default=1)
    assert groups == GROUPS.get(channels, groups)


@pytest.mark.parametrize("channels", GROUPS)
def test_group_norm_is_the_one_by_hand(channels):
    norm, (x,) = redrawn(group_norm(channels)), draws((2, channels, 3, 5))
    x = 4 * x + 7
    size = channels // GROUPS[channels]
    expected = torch.stack(
        [
            torch.cat([normalised(sample[c : c + size]) for c in range(0, channels, size)])
            for sample in x
        ]
    )
    torch.testing.assert_close(norm(x), scaled(norm, expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 2, 5, 16])
def test_channel_norm_is_the_one_by_hand(channels):
    norm, (x,) = redrawn(channel_norm(channels)), draws((2, channels, 3, 5))
    x = 4 * x + 7
    expected = torch.zeros_like(x)
    for b, i, j in torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(5)):
        expected[b, :, i, j] = normalised(x[b, :, i, j])
    torch.testing.assert_close(norm(x), scaled(norm, expected), rtol=0, atol=1e-12)


def test_channel_norm_of_one_pixel_is_torchs_layer_norm():
    norm, (x,) = channel_norm(6).double(), draws((4, 6, 1, 1))
    expected = nn.functional.layer_norm(x[:, :, 0, 0], (6,))
    torch.testing.assert_close(norm(x)[:, :, 0, 0], expected, rtol=0, atol=1e-12)


def test_through_channel_norm_no_pixel_hears_another():
    norm, (x,) = redrawn(channel_norm(6)), draws((2, 6, 3, 5))
    changed = x.clone()
    changed[1, :, 2, 1] = changed[1, :, 2, 1].flip(0) * 3
    difference = (norm(changed) - norm(x)).abs().amax(1)
    assert difference[1, 2, 1] > 0.1
    difference[1, 2, 1] = 0
    assert (difference == 0).all()


def test_through_group_norm_every_pixel_of_the_sample_hears_every_other():
    norm, (x,) = redrawn(group_norm(6)), draws((2, 6, 3, 5))
    changed = x.clone()
    changed[1, :, 2, 1] *= 3
    difference = (norm(changed) - norm(x)).abs()
    assert (difference[0] == 0).all() and (difference[1] > 1e-4).all()


def test_through_group_norm_nobody_hears_channels_that_change_places_within_their_group():
    norm, (x,) = redrawn(group_norm(6)), draws((2, 6, 3, 5))
    difference = (norm(rolled_at(x, 3, 2, 1)) - norm(x)).abs().amax(1)
    assert (difference[:, 2, 1] > 0.1).all()
    difference[:, 2, 1] = 0
    assert difference.max() < 1e-12


def test_a_map_with_other_channels_is_an_error():
    (x,) = draws((2, 6, 3, 5))
    with pytest.raises(ValueError, match=r"x: expected shape \(B, 5, H, W\), got \(2, 6, 3, 5\)"):
        channel_norm(5).double()(x)


@pytest.mark.parametrize("norm", [group_norm, channel_norm])
def test_the_gradients_are_those_of_finite_differences(norm):
    (x,) = draws((2, 4, 3, 2))
    assert gradcheck(redrawn(norm(4)), x.requires_grad_())


@pytest.mark.parametrize("norm", [group_norm, channel_norm])
def test_they_start_as_plain_normalisations(norm):
    layer = norm(6)
    assert (layer.weight == 1).all() and (layer.bias == 0).all()
    assert layer.eps == EPS
