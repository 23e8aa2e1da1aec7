"""The tables of bad_input.py that stand in files of their own, put together."""

import bad_input_attention
import bad_input_attention_view
import bad_input_bound
import bad_input_nets
import bad_input_seq2seq

FILES = (
    bad_input_attention,
    bad_input_attention_view,
    bad_input_bound,
    bad_input_nets,
    bad_input_seq2seq,
)

MODULES = tuple(module for file in FILES for module in file.MODULES)
TABLES = tuple(table for file in FILES for table in file.TABLES)
LONG = {key: text for file in FILES for key, text in file.LONG.items()}


def names() -> dict:
    """What their expressions use beside the names of bad_input.py."""
    return {key: value for file in FILES for key, value in file.names().items()}
