"""What goes wrong in the attention view and its words; its figures' faults are gathered too."""

import torch

import faults_attention_figures
from diffedu.classroom.attention_maps import RowMaps
from planting import Fault

ROOM = "diffedu.classroom"
VIEW = ("tests/test_attention_view.py",)
REFUSED = ("tests/test_attention_explorer.py",)


def one_scale_for_all(original):
    """Plain uint8: small weights and row sums are lost."""

    def quantise(weights):
        return RowMaps((weights * 255).round().to(torch.uint8), torch.ones(weights.shape[:-1]))

    return quantise


def rounded_down(original):
    def quantise(weights):
        most = weights.amax(-1)
        return RowMaps((weights / most[..., None] * 255).to(torch.uint8), most)

    return quantise


def scale_of_the_column(original):
    def quantise(weights):
        maps = original(weights)
        return RowMaps(maps.levels, maps.most.flip(-1))

    return quantise


def sum_over_heads(original):
    def matrix(self, head, call):
        heads = self.levels.shape[1] if head is None else 1
        return original(self, head, call) * heads

    return matrix


def largest_of_the_heads(original):
    def matrix(self, head, call):
        if head is not None:
            return original(self, head, call)
        every = [original(self, k, call) for k in range(self.levels.shape[1])]
        return torch.stack(every).amax(0)

    return matrix


def next_head(original):
    def matrix(self, head, call):
        return original(self, None if head is None else (head + 1) % self.levels.shape[1], call)

    return matrix


def first_call(original):
    return lambda self, head, call: original(self, head, 0)


def divided_by_256(original):
    return lambda self, head, call: original(self, head, call) * 255 / 256


def column_for_row(original):
    def row(self, query, layer=None, head=None, call=0):
        return self.matrix(layer, head, call)[:, query]

    return row


def row_for_column(original):
    def column(self, key, layer=None, head=None, call=0):
        return self.matrix(layer, head, call)[min(key, len(self.layer(layer).queries) - 1)]

    return column


def normalised_column(original):
    def column(self, key, layer=None, head=None, call=0):
        weights = original(self, key, layer, head, call)
        return weights / weights.sum()

    return column


def first_layer(original):
    return lambda self, name=None: original(self)


def forward_sentence(original):
    def sentence(self, query, layer=None, head=None, call=0, reverse=False):
        return original(self, min(query, len(self.layer(layer).queries) - 1), layer, head, call)

    return sentence


def first_sample(original):
    return lambda name, entries, sample: original(name, entries, 0)


def any_sums(original):
    def weights_checked(where, weights):
        return None

    return weights_checked


def sides_exchanged(original):
    def query_tokens(layer, n_q, size, words):
        made = original(layer, n_q, size, words)
        return type(made)(made.w, made.h, made.cell, made.words)

    return query_tokens


def never_coarser(original):
    def query_tokens(layer, n_q, size, words):
        made = original(layer, n_q, size, words)
        return type(made)(made.h, made.w, 1, made.words)

    return query_tokens


def itself_before_words(original):
    def key_tokens(layer, queries, n_k, words):
        return queries if n_k == len(queries) else original(layer, queries, n_k, words)

    return key_tokens


def words_before_cells(original):
    def key_tokens(layer, queries, n_k, words):
        made = original(layer, queries, n_k, words)
        return type(made)(made.h, made.w, made.cell, made.words[::-1], made.kind)

    return key_tokens


def column_before_row(original):
    def name(self, i):
        if i >= self.h * self.w:
            return original(self, i)
        return original(self, i % self.h * self.w + i // self.h)

    return name


def counted_from_one(original):
    return lambda self, i: original(self, i + 1) if i + 1 < len(self) else original(self, i)


def halves_to_even(original):
    return lambda x: f"{x:.2f}" if x >= 0.1 or x == 0 else original(round(x, 6) - 1e-12)


def two_decimals(original):
    return lambda x: f"{x:.2f}"


def half_the_weight(original):
    def holders(weights):
        running = torch.tensor(sorted(weights, reverse=True)).cumsum(0)
        return int((running < 0.5 * running[-1]).sum()) + 1

    return holders


def smallest_first(original):
    def holders(weights):
        running = torch.tensor(sorted(weights)).cumsum(0)
        return int((running < 0.9 * running[-1] - 1e-6).sum()) + 1

    return holders


def looks_least(original):
    return lambda asker, names, weights: original(asker, names[::-1], weights)


def mean_for_sum(original):
    return lambda asked, names, weights: original(asked, names, [w / len(weights) for w in weights])


def calls_backwards(original):
    def attention_view(maps, queries, keys=None, calls=None, sample=0):
        backwards = {name: entries[::-1] for name, entries in maps.items()}
        return original(backwards, queries, keys, calls, sample)

    return attention_view


def fault(name, target, replacement, tests=VIEW):
    return Fault(f"attention view: {name}", f"{ROOM}.{target}", replacement, tests)


MAPS, TOKENS, WORDS = "attention_maps", "attention_tokens", "attention_words"
MATRIX = f"{MAPS}.RowMaps.matrix"
OF_VIEW = "attention_view.AttentionView"

FAULTS = (
    fault("one scale for all rows", f"{MAPS}.quantise", one_scale_for_all),
    fault("weights rounded down", f"{MAPS}.quantise", rounded_down),
    fault("the maximum of another row", f"{MAPS}.quantise", scale_of_the_column),
    fault("sum over the heads", MATRIX, sum_over_heads),
    fault("largest of the heads", MATRIX, largest_of_the_heads),
    fault("the next head", MATRIX, next_head),
    fault("always the first call", MATRIX, first_call),
    fault("levels of 256", MATRIX, divided_by_256),
    fault("column for row", f"{OF_VIEW}.row", column_for_row),
    fault("row for column", f"{OF_VIEW}.column", row_for_column),
    fault("column made to sum to one", f"{OF_VIEW}.column", normalised_column),
    fault("always the first layer", f"{OF_VIEW}.layer", first_layer),
    fault("sentence never reversed", f"{OF_VIEW}.sentence", forward_sentence),
    fault("calls backwards", "attention_view.attention_view", calls_backwards),
    fault("always the first sample", f"{MAPS}.read_maps", first_sample),
    fault("rows may sum to anything", f"{MAPS}._weights", any_sums, REFUSED),
    fault("height and width exchanged", f"{TOKENS}.query_tokens", sides_exchanged),
    fault("cells taken for pixels", f"{TOKENS}.query_tokens", never_coarser),
    fault("itself before other words", f"{TOKENS}.key_tokens", itself_before_words),
    fault("words backwards", f"{TOKENS}.key_tokens", words_before_cells),
    fault("cells counted down the columns", f"{TOKENS}.Tokens.name", column_before_row),
    fault("tokens counted from one", f"{TOKENS}.Tokens.name", counted_from_one),
    fault("halves to even", f"{WORDS}.number", halves_to_even),
    fault("two decimals for small weights", f"{WORDS}.number", two_decimals),
    fault("holders of half the weight", f"{WORDS}.holders", half_the_weight),
    fault("smallest weights first", f"{WORDS}.holders", smallest_first),
    fault("names backwards", f"{WORDS}.row_words", looks_least),
    fault("mean of a column for its sum", f"{WORDS}.column_words", mean_for_sum),
    *faults_attention_figures.FAULTS,
)
