"""Made-up attention maps of three kinds, for the explorer's tests: no network, all sizes differ."""

import torch

from diffedu.classroom.attention_view import AttentionView, attention_view
from diffedu.classroom.views import mosaic
from diffedu.data import digit_halves

CAPTION = ["a", "small", "red", "square", "<end>"]
SOURCE, TARGET = list("stream"), ["<start>", *"maert"]


def softmax_maps(*shape, seed, sharp=2.0):
    """Rows that sum to one, from random scores."""
    g = torch.Generator().manual_seed(seed)
    return (sharp * torch.randn(shape, generator=g)).softmax(-1)


def near(h, w, widths, beside=0, seed=0):
    """(1, heads, h w, h w + beside): every cell looks at what lies within a head's width."""
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    place = torch.stack([rows, columns], -1).reshape(-1, 2).float()
    distance = torch.cdist(place, place) ** 2
    g = torch.Generator().manual_seed(seed)
    scores = torch.stack([-distance / (2 * width**2) for width in widths])
    scores = torch.nn.functional.pad(scores, (0, beside), value=-1.0)
    return (scores + 0.5 * torch.randn(scores.shape, generator=g)).softmax(-1)[None]


def digits() -> torch.Tensor:
    """A picture (1, 1, 8, 24) of three digits."""
    (pictures, _), _ = digit_halves()
    return mosaic(pictures[:3], 3)


def over_time() -> AttentionView:
    """Self-attention with a time token, on the picture and on a grid half as fine; three calls."""
    g = torch.Generator().manual_seed(1)
    x0 = digits()
    xt = torch.cat([(1 - a) * x0 + a * torch.randn(x0.shape, generator=g) for a in (0.9, 0.5, 0)])
    down = [near(8, 24, (1.0, 2.5, 6.0), beside=1, seed=k) for k in range(3)]
    middle = [near(4, 12, (0.8, 2.0), beside=1, seed=9 + k) for k in range(3)]
    maps = {"down.0.attention": down, "middle.attention": middle}
    return attention_view(maps, xt, ["time"], ["t = 900", "t = 500", "t = 1"])


def caption() -> AttentionView:
    """A picture that looks at five words, and at itself."""
    cross = softmax_maps(2, 4, 8 * 24, len(CAPTION), seed=3)
    own = near(8, 24, (1.5, 4.0), seed=4).expand(2, -1, -1, -1)
    return attention_view({"cross": [cross], "self": [own]}, digits(), CAPTION, sample=1)


def sequence() -> AttentionView:
    """A sequence that looks at another one, backwards, in two heads."""
    n_q, n_k = len(TARGET), len(SOURCE)
    far = (torch.arange(n_q)[:, None] + torch.arange(n_k) - n_k + 1).abs().float()
    scores = torch.stack([-2 * far, -0.5 * far])[None]
    return attention_view({"decoder.cross": [scores.softmax(-1)]}, TARGET, SOURCE)


VIEWS = {"over_time": over_time, "caption": caption, "sequence": sequence}
