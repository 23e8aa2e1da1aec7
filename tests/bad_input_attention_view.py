"""Wrong arguments of the attention view; see bad_input.py."""

import torch

from diffedu.classroom import attention_view as room

MODULES = (room,)

VIEW = """
attention_view(None, words) -> maps: {layers}, got NoneType
attention_view([map34], words) -> maps: {layers}, got list
attention_view({}, words) -> maps: {layers}, got none
attention_view({"a": []}, words) -> maps['a']: expected {entries}, got none
attention_view({"a": map33}, words) -> maps['a']: expected {entries}, got Tensor
attention_view({"a": [map33.tolist()]}, words) -> maps['a']: expected a tensor, got list
attention_view({"a": [map33[0]]}, words) -> maps['a']: expected {axes}, got (2, 3, 3)
attention_view({"a": [map33[:, :0]]}, words) -> maps['a']: expected {axes}, got (1, 0, 3, 3)
attention_view({"a": [map33, map34]}, words) -> maps['a']: expected {same}, got (2, 3, 4)
attention_view({"a": [map33 * nan]}, words) -> maps['a']: expected finite values, got nan
attention_view({"a": [flipped]}, words) -> maps['a']: {negative}, got -0.5 in row 1 of head 1
attention_view({"a": [lacking]}, words) -> maps['a']: {sums}, got 0.93 in row 2 of head 0
attention_view({"a": [map33, lacking]}, words) -> maps['a']: {sums}, got 0.93 in row 2 of {place}
attention_view({"a": [map33], "b": [map33] * 2}, words) -> maps: {counts}
attention_view({"a": [map33]}, words, sample=1) -> sample: expected 0..0, got 1
attention_view({"a": [map33]}, words, sample=-1) -> sample: expected 0..0, got -1
attention_view({"a": [map33]}, "cat") -> queries: expected a list of words, got str
attention_view({"a": [map33]}, []) -> queries: expected at least one word, got none
attention_view({"a": [map33]}, ["a", 2, "c"]) -> queries: expected words that are strings, got 2
attention_view({"a": [map33]}, words[:2]) -> maps['a']: expected 2 queries, {of_words}, got 3
attention_view({"a": [map34]}, words) -> maps['a']: expected 3 keys, {alone}, got 4
attention_view({"a": [map34]}, words, ["x", "y"]) -> maps['a']: expected 3 keys {three}, got 4
attention_view({"a": [map34]}, words, "time") -> keys: expected a list of words, got str
attention_view({"a": [map34]}, words, [None]) -> keys: expected words that are strings, got None
attention_view({"a": [map34]}, words, {"b": words}) -> keys: expected layers among ['a'], got 'b'
attention_view({"a": [map34]}, words, {"a": []}) -> keys['a']: expected at least one word, got none
attention_view({"a": [map33]}, words, calls=["x", "y"]) -> calls: {one_name}, got 2
attention_view({"a": [map33]}, words, calls=[5]) -> calls: expected words that are strings, got 5
attention_view({"a": [map66]}, picture[0]) -> queries: {picture}, got shape (1, 4, 6)
attention_view({"a": [map66]}, picture.repeat(1, 2, 1, 1)) -> queries: {picture}, got {two}
attention_view({"a": [map66]}, picture.long()) -> queries: {floating}, got torch.int64
attention_view({"a": [map66]}, picture * nan) -> queries: expected finite values, got nan
attention_view({"a": [map66]}, picture.repeat(2, 1, 1, 1)) -> queries: expected 1 picture, got 2
attention_view({"a": [map66] * 3}, picture.repeat(2, 1, 1, 1)) -> queries: {three_pictures}, got 2
attention_view({"a": [map33]}, picture) -> maps['a']: expected 4 x 6 queries, {coarser}, got 3
attention_view({"a": [map66]}, picture[:, :, :, 1:]) -> maps['a']: expected 4 x 5 {queries}, got 6
attention_view({"a": [map66]}, picture, six) -> keys: expected a dict {six_or_six}, got 6 words
attention_view({"a": [wide]}, words, many) -> maps: {limit}, got 3.1 MB, 3.1 MB of it in 'a'
view.layer("b") -> layer: expected one of ['a'], got 'b'
view.matrix(head=2) -> head: expected 0..1, got 2
view.matrix(call=1) -> call: expected 0..0, got 1
view.row(3) -> query: expected 0..2, got 3
view.row(-1) -> query: expected 0..2, got -1
view.column(4) -> query: expected 0..3, got 4
view.sentence(3) -> query: expected 0..2, got 3
view.sentence(4, reverse=True) -> query: expected 0..3, got 4
view.sentence(0, head="mean") -> head: expected 0..1, got mean
"""

TABLES = (VIEW,)

LONG = {
    "layers": "expected a dict with the maps of at least one layer",
    "entries": "a list with a tensor for each call",
    "axes": "shape (B, heads, n_q, n_k)",
    "same": "the same heads, n_q, n_k in each call, (2, 3, 3)",
    "negative": "expected weights >= 0",
    "sums": "expected rows that sum to 1",
    "place": "head 0, call 1",
    "counts": "expected the same number of calls in every layer, got {'a': 1, 'b': 2}",
    "of_words": "one for each word of queries",
    "alone": "the queries, as no words are given in keys",
    "three": "(the queries), 2 (the words) or 5 (both)",
    "one_name": "expected 1 name",
    "picture": "expected a picture (1, C, H, W) with C = 1 or 3, or a list of words",
    "two": "shape (1, 2, 4, 6)",
    "floating": "expected a floating-point tensor",
    "three_pictures": "expected 1 picture, or 3, one for each call",
    "coarser": "or both sides divided by a whole number",
    "queries": "queries, or both sides divided by a whole number",
    "six_or_six": "{layer: words}, as this layer has as many queries as words, and may look at "
    "either: maps['a']",
    "limit": "expected less than 3 MB for the browser (leave out layers or calls)",
}


def names() -> dict:
    """What the expressions use beside the names of bad_input.py."""
    even = lambda heads, n_q, n_k: torch.full((1, heads, n_q, n_k), 1 / n_k)  # noqa: E731
    map33, map34 = even(2, 3, 3), even(2, 3, 4)
    flipped, lacking = map33.clone(), map33.clone()
    flipped[0, 1, 1] = torch.tensor([-0.5, 0.5, 1.0])
    lacking[0, 0, 2] *= 0.93
    words = ["a", "b", "c"]
    return {
        "attention_view": room.attention_view,
        "map33": map33,
        "map34": map34,
        "map66": even(2, 6, 6),
        "flipped": flipped,
        "lacking": lacking,
        "wide": even(4, 3, 260_000),
        "many": ["x"] * 260_000,
        "words": words,
        "six": list("uvwxyz"),
        "picture": torch.zeros(1, 1, 4, 6),
        "view": room.attention_view({"a": [map34]}, words, list("wxyz")),
    }
