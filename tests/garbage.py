"""What a learner may hand to a check by accident: none of it may cost us a traceback.

`ATTEMPTS` are handed over as they are. `RETURNS` are functions of the learner's arguments; each
exercise calls them like an answer.
"""

import asyncio
import decimal
import fractions
import functools
import sys

import numpy as np
import torch


class Liar:
    """Says wrong things about itself."""

    def __repr__(self):
        raise RuntimeError("no repr today")

    def __len__(self):
        return -1


class LiesAboutItsShape:
    """Looks like an array until one looks closer."""

    shape = ("a", "b")

    def __array__(self, *arguments, **options):
        raise ValueError("not an array after all")


class UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError("no message today")


class Module(torch.nn.Module):
    def forward(self, x):
        return x


async def waits(*arguments):
    return 1.0


def yields(*arguments):
    yield 1.0


def raises(error):
    def attempt(*arguments):
        raise error

    attempt.__name__ = f"raises_{type(error).__name__}"
    return attempt


def deep(*arguments):
    return deep(*arguments)


def leaves(*arguments):
    sys.exit(3)


def multi_line(*arguments):
    raise ValueError("first line\nsecond line <script>alert(1)</script>")


def cut_off(*arguments):
    return arguments[0][0:0]


def mutates(*arguments):
    for argument in arguments:
        if isinstance(argument, torch.Tensor):
            argument.zero_()
    return arguments[0]


def damages_the_schedule(*arguments):
    for argument in arguments:
        if hasattr(argument, "alpha_bar"):
            argument.alpha_bar[:] = float("nan")
    return torch.zeros(3)


def sets_the_default_dtype(*arguments):
    torch.set_default_dtype(torch.float16)
    return torch.zeros(2)


def warns(*arguments):
    import warnings

    warnings.warn("careful", stacklevel=1)
    return np.log(np.array([-1.0]))


def starts_a_loop(*arguments):
    return asyncio.sleep(0)


def keeps_the_type_of(value):
    def attempt(*arguments):
        return value

    attempt.__name__ = f"returns_{type(value).__name__}"
    return attempt


ATTEMPTS = (
    3,
    2.5,
    True,
    "posterior_variance",
    b"bytes",
    torch.zeros(3),
    np.zeros(3),
    [1, 2],
    {},
    {"a": 1},
    (),
    object(),
    Liar(),
    complex(1, 2),
    float("nan"),
    float("inf"),
    print,
    max,
    int,
    Liar,
    Module(),
    lambda: 1,
    lambda one: one,
    functools.partial(lambda a, b: a, 1),
)
VALUES = (
    None,
    0,
    1,
    -7.5,
    True,
    float("nan"),
    float("-inf"),
    complex(0, 1),
    "a string",
    b"bytes",
    [],
    [1.0, 2.0],
    [[1.0], [2.0, 3.0]],
    [None, None],
    (1.0,),
    (1.0, 2.0),
    (None, ...),
    {},
    {1, 2},
    object(),
    Liar(),
    LiesAboutItsShape(),
    print,
    Module(),
    decimal.Decimal("1.5"),
    fractions.Fraction(1, 3),
    np.float32(1.0),
    np.zeros(3),
    np.array(["a"]),
    np.array([object()]),
    np.array([1 + 1j]),
    torch.zeros(()),
    torch.zeros(0),
    torch.zeros(3, 2, 1),
    torch.zeros(2, 3, 4, 5, 6),
    torch.full((5,), float("nan")),
    torch.ones(5, dtype=torch.bool),
    torch.ones(5, dtype=torch.long),
    torch.ones(5, dtype=torch.bfloat16),
    torch.ones(5, dtype=torch.complex64),
    torch.ones(5, device="meta"),
    torch.ones(5).to_sparse(),
    torch.ones(5, requires_grad=True),
    torch.ones(1).expand(5),
    torch.nn.Parameter(torch.ones(5)),
    torch.ones,
    range(5),
    slice(None),
    type,
)
RETURNS = (
    *map(keeps_the_type_of, VALUES),
    waits,
    yields,
    deep,
    leaves,
    multi_line,
    cut_off,
    mutates,
    damages_the_schedule,
    sets_the_default_dtype,
    warns,
    starts_a_loop,
    raises(ValueError("no")),
    raises(KeyError("x")),
    raises(StopIteration()),
    raises(MemoryError()),
    raises(AssertionError()),
    raises(UnreadableError()),
    raises(GeneratorExit()),
    lambda *arguments: arguments[0],
    lambda *arguments: arguments[-1],
    lambda *arguments: arguments,
)
