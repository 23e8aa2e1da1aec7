"""Who asks and who answers in an attention map: cells of a picture, words, or both."""

import math
from dataclasses import dataclass

from diffedu import expect

Words = tuple[str, ...]


@dataclass(frozen=True)
class Tokens:
    """First the h * w cells of a grid, row by row, then the words; either part may be missing.

    `cell` is how many pixels of the picture, in each direction, share one cell. `kind` is what a
    word is called: "key" where words of another sequence are looked at.
    """

    h: int = 0
    w: int = 0
    cell: int = 1
    words: Words = ()
    kind: str = "token"

    def __len__(self) -> int:
        """How many tokens there are."""
        return self.h * self.w + len(self.words)

    def name(self, i: int) -> str:
        """Token i in words; rows, columns and tokens count from 0, as in the code."""
        if i < self.h * self.w:
            place = "pixel" if self.cell == 1 else "cell"
            return f"the {place} in row {i // self.w}, column {i % self.w}"
        word = i - self.h * self.w
        return f'{self.kind} {word} "{self.words[word]}"'


def read_words(name: str, words: object) -> Words:
    """A list of at least one word."""
    if not isinstance(words, list | tuple):
        expect.fail(name, "a list of words", type(words).__name__)
    if not words:
        expect.fail(name, "at least one word", "none")
    for word in words:
        if not isinstance(word, str):
            expect.fail(name, "words that are strings", repr(word))
    return tuple(words)


def query_tokens(layer: str, n_q: int, size: tuple[int, int] | None, words: Words) -> Tokens:
    """The n_q queries of a layer: the words, or a grid that may be coarser than the picture.

    A picture (H, W) has n_q = (H / r) (W / r) for one whole number r, the side of a cell.
    """
    where = f"maps[{layer!r}]"
    if size is None:
        if n_q != len(words):
            expect.fail(where, f"{len(words)} queries, one for each word of queries", n_q)
        return Tokens(words=words)
    H, W = size
    cell = math.isqrt(H * W // n_q)
    if cell == 0 or H % cell or W % cell or n_q * cell**2 != H * W:
        expect.fail(where, f"{H} x {W} queries, or both sides divided by a whole number", n_q)
    return Tokens(H // cell, W // cell, cell)


def key_tokens(layer: str, queries: Tokens, n_k: int, words: Words) -> Tokens:
    """The n_k keys of a layer: the queries, the words beside them, or both one after the other.

    If n_k, n_q and the number of words are the same, a sequence is taken to look at the words; a
    picture could as well look at itself, so there the caller has to say it.
    """
    n_q, where = len(queries), f"maps[{layer!r}]"
    if n_k == len(words) == n_q and queries.h:
        wanted = "a dict {layer: words}, as this layer has as many queries as words, and"
        expect.fail("keys", f"{wanted} may look at either: {where}", f"{n_k} words")
    if n_k == len(words):
        return Tokens(words=words, kind="key")
    if n_k == n_q:
        return queries
    if words and n_k == n_q + len(words):
        return Tokens(queries.h, queries.w, queries.cell, queries.words + words)
    if words:
        wanted = f"{n_q} keys (the queries), {len(words)} (the words) or {n_q + len(words)} (both)"
    else:
        wanted = f"{n_q} keys, the queries, as no words are given in keys"
    expect.fail(where, wanted, n_k)
