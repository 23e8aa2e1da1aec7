"""What the attention explorer shows, as arrays: a row of a map, a column of it, and the words."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from diffedu import expect
from diffedu.classroom.attention_maps import RowMaps, quantise, read_maps
from diffedu.classroom.attention_tokens import (
    Tokens,
    Words,
    key_tokens,
    query_tokens,
    read_words,
)
from diffedu.classroom.attention_words import column_words, row_words

LIMIT = 3_000_000  # bytes: what a page takes in half a second


@dataclass(frozen=True, eq=False)
class Layer:
    """The maps of one attention layer for all calls, and who its queries and keys are."""

    name: str
    queries: Tokens
    keys: Tokens
    maps: RowMaps

    @property
    def heads(self) -> int:
        """The number of heads."""
        return self.maps.levels.shape[1]

    @property
    def size(self) -> int:
        """Bytes in the browser."""
        return self.maps.levels.numel() + 4 * self.maps.most.numel()


@dataclass(frozen=True, eq=False)
class AttentionView:
    """Maps of all layers, heads and calls, with the pictures they belong to (none for words).

    A question is (query, layer, head, call): `layer` a name, None for the first; `head` a number,
    None for the mean over the heads; all count from 0.
    """

    layers: dict[str, Layer]
    pictures: UInt8[Tensor, " k h w 3"] | None
    calls: Words

    def layer(self, name: str | None = None) -> Layer:
        """A layer by its name; the first one without a name."""
        if name is None:
            return next(iter(self.layers.values()))
        if name not in self.layers:
            expect.fail("layer", f"one of {list(self.layers)}", repr(name))
        return self.layers[name]

    def matrix(
        self, layer: str | None = None, head: int | None = None, call: int = 0
    ) -> Float64[Tensor, " n_q n_k"]:
        """A whole map as the browser has it: row i is query i, column j is key j."""
        chosen = self.layer(layer)
        if head is not None:
            expect.integer("head", head, 0, chosen.heads - 1)
        expect.integer("call", call, 0, len(self.calls) - 1)
        return chosen.maps.matrix(head, call)

    def row(
        self, query: int, layer: str | None = None, head: int | None = None, call: int = 0
    ) -> Float64[Tensor, " n_k"]:
        """What query i gives to each key; sums to 1, but for the rounding to 256 levels."""
        expect.integer("query", query, 0, len(self.layer(layer).queries) - 1)
        return self.matrix(layer, head, call)[query]

    def column(
        self, key: int, layer: str | None = None, head: int | None = None, call: int = 0
    ) -> Float64[Tensor, " n_q"]:
        """What each query gives to key j: who looks at it. This need not sum to 1."""
        expect.integer("query", key, 0, len(self.layer(layer).keys) - 1)
        return self.matrix(layer, head, call)[:, key]

    def sentence(
        self,
        query: int,
        layer: str | None = None,
        head: int | None = None,
        call: int = 0,
        reverse: bool = False,
    ) -> str:
        """The answer in words; with `reverse`, `query` is a key, and asks who looks at it."""
        chosen = self.layer(layer)
        asker, others = (chosen.keys, chosen.queries) if reverse else (chosen.queries, chosen.keys)
        weights = (self.column if reverse else self.row)(query, layer, head, call).tolist()
        names = [others.name(i) for i in range(len(others))]
        say = column_words if reverse else row_words
        return self._setting(chosen, head, call) + say(asker.name(query), names, weights)

    def _setting(self, layer: Layer, head: int | None, call: int) -> str:
        which = f"head {head}"
        if head is None:
            which = "its one head" if layer.heads == 1 else f"mean over {layer.heads} heads"
        return ", ".join(filter(None, [f"Layer {layer.name}", which, self.calls[call]])) + ": "


def attention_view(
    maps: dict,
    queries: Tensor | list[str],
    keys: list[str] | dict[str, list[str]] | None = None,
    calls: list[str] | None = None,
    sample: int = 0,
) -> AttentionView:
    """Prepare what `record_attention` recorded for the explorer and for figures.

    maps: {layer: [(B, heads, n_q, n_k), one for each call]}; `sample` picks one of B.
    queries: a picture (1, C, H, W) in [-1, 1], or one for each call; or a list of words. The grid
    of a layer may be coarser: n_q = (H / r) (W / r) for one whole number r.
    keys: words beside the queries. A layer with as many keys as words looks at them alone; with
    n_q keys, at the queries; with n_q + len(words), at both, the words last. As a dict, only the
    layers in it have words.
    calls: a name for each call, such as "t = 500".

    ValueError: rows that do not sum to 1, sizes that fit nothing, more than 3 MB.
    """
    weights = _layers(maps, sample)
    names = _call_names(calls, len(next(iter(weights.values()))))
    pictures = _pictures(queries, len(names)) if isinstance(queries, Tensor) else None
    words = () if isinstance(queries, Tensor) else read_words("queries", queries)
    beside = _words_beside(keys, maps)
    size = None if pictures is None else tuple(pictures.shape[1:3])
    layers = {}
    for name, w in weights.items():
        asking = query_tokens(name, w.shape[2], size, words)
        answering = key_tokens(name, asking, w.shape[3], beside[name])
        layers[name] = Layer(name, asking, answering, quantise(w))
    view = AttentionView(layers, pictures, names)
    _small_enough(view)
    return view


def _layers(maps: object, sample: int) -> dict[str, Tensor]:
    """The weights of each layer, all with the same number of calls."""
    if not isinstance(maps, dict) or not maps:
        got = "none" if isinstance(maps, dict) else type(maps).__name__
        expect.fail("maps", "a dict with the maps of at least one layer", got)
    weights = {name: read_maps(name, entries, sample) for name, entries in maps.items()}
    counts = {name: len(w) for name, w in weights.items()}
    if len(set(counts.values())) > 1:
        expect.fail("maps", "the same number of calls in every layer", counts)
    return weights


def _call_names(calls: object, n: int) -> Words:
    if calls is None:
        return ("",) if n == 1 else tuple(f"call {k}" for k in range(n))
    names = read_words("calls", calls)
    if len(names) != n:
        wanted = "1 name" if n == 1 else f"{n} names, one for each call"
        expect.fail("calls", wanted, len(names))
    return names


def _pictures(queries: Tensor, n_calls: int) -> UInt8[Tensor, " k h w 3"]:
    """(K, C, H, W) in [-1, 1] to bytes; values outside are cut off, not rescaled."""
    expect.batch("queries", queries)
    if queries.ndim != 4 or queries.shape[1] not in (1, 3):
        wanted = "a picture (1, C, H, W) with C = 1 or 3, or a list of words"
        expect.fail("queries", wanted, f"shape {tuple(queries.shape)}")
    if len(queries) not in (1, n_calls):
        wanted = "1 picture" if n_calls == 1 else f"1 picture, or {n_calls}, one for each call"
        expect.fail("queries", wanted, len(queries))
    shades = (queries.detach().float().cpu().clamp(-1, 1) + 1) * 127.5
    return shades.round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()


def _words_beside(keys: object, maps: dict) -> dict[str, Words]:
    """The words beside the queries of each layer, () for none."""
    if keys is None:
        return dict.fromkeys(maps, ())
    if not isinstance(keys, dict):
        return dict.fromkeys(maps, read_words("keys", keys))
    unknown = [name for name in keys if name not in maps]
    if unknown:
        expect.fail("keys", f"layers among {list(maps)}", repr(unknown[0]))
    given = {name: read_words(f"keys[{name!r}]", words) for name, words in keys.items()}
    return dict.fromkeys(maps, ()) | given


def _small_enough(view: AttentionView) -> None:
    sizes = {name: layer.size for name, layer in view.layers.items()}
    size = sum(sizes.values()) + (0 if view.pictures is None else view.pictures.numel())
    if size < LIMIT:
        return
    largest = max(sizes, key=sizes.__getitem__)
    shares = f"{size / 1e6:.1f} MB, {sizes[largest] / 1e6:.1f} MB of it in {largest!r}"
    wanted = "less than 3 MB for the browser (leave out layers or calls)"
    expect.fail("maps", wanted, shares)
