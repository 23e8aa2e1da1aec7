"""Each rule about source text reports a violation planted here, and not its innocent twin."""

import inspect
import textwrap
from functools import partial

import pytest

import import_rules
import layout_rules
from import_rules import import_complaints
from layout_rules import (
    assert_complaints,
    citation_complaints,
    device_complaints,
    docstring_complaints,
    foreign_import_complaints,
    hidden_import_complaints,
    length_complaints,
    print_complaints,
    randomness_complaints,
    top_level_complaints,
)

# rule, module, source, a part of the complaint
VIOLATIONS = [
    (import_complaints, "diffusion.gaussian", "from diffedu.nets import unet", "may not look into"),
    (import_complaints, "diffusion.exact", "import diffedu.data", "may not look into data"),
    (import_complaints, "nets.blocks", "from ..diffusion import gaussian", "may not look into"),
    (import_complaints, "nets.unet", "from .mlp import MLP", "not below it"),
    (import_complaints, "diffusion.gaussian", "from .samplers import ddpm", "not below it"),
    (import_complaints, "diffusion.exact", "from diffedu.diffusion import ddpm", "not below it"),
    (
        import_complaints,
        "train",
        "def f():\n    from . import recipes",
        "may not look into recipes",
    ),
    (import_complaints, "data", "if TYPE_CHECKING:\n    from .train import EMA", "may not look"),
    (import_complaints, "classroom.checks.a", "from ..widgets import explore", "not below it"),
    (import_complaints, "classroom.widgets.a", "from .b import helper", "not below it"),
    (import_complaints, "shapes", "import torch\nimport diffedu", "the front door"),
    (import_complaints, "metrics", "from diffedu import unlisted", "the front door"),
    (
        import_complaints,
        "classroom.plots.live",
        "from ..other import x",
        "which is not in the table",
    ),
    (import_complaints, "attic", "import torch", "add it to PLACES"),
    (import_complaints, "launch", "from diffedu.data import digits", "an entry imports no room"),
    (foreign_import_complaints, "train", "import matplotlib.pyplot as plt", "classroom.plots only"),
    (foreign_import_complaints, "data", "def f():\n    from matplotlib import cm", "matplotlib"),
    (foreign_import_complaints, "classroom.plots", "import ipywidgets", "classroom.widgets only"),
    (foreign_import_complaints, "classroom.checks.a", "import anywidget", "anywidget"),
    (foreign_import_complaints, "data", "import random", "no generator argument"),
    (print_complaints, "train", "for x in y:\n    print(x)", "train:2: print"),
    (device_complaints, "train", "model.cuda()", ".cuda()"),
    (device_complaints, "train", "torch.ones(1).cuda()", ".cuda()"),
    (hidden_import_complaints, "train", "importlib.import_module('diffedu.nets')", "import_module"),
    (randomness_complaints, "data", "torch.randn(3)", "without generator="),
    (randomness_complaints, "data", "torch.rand(3, generator=None)", "without generator="),
    (randomness_complaints, "data", "torch.randperm(3)", "without generator="),
    (randomness_complaints, "data", "randint(1, 5, (3,))", "without generator="),
    (randomness_complaints, "data", "torch.empty(3).normal_()", "without generator="),
    (randomness_complaints, "data", "weights.multinomial(4)", "without generator="),
    (randomness_complaints, "train", "torch.manual_seed(0)", "sets a global seed"),
    (randomness_complaints, "train", "np.random.seed(0)", "sets a global seed"),
    (randomness_complaints, "data", "np.random.rand(3)", "without a seed"),
    (randomness_complaints, "data", "np.random.default_rng()", "without a seed"),
    (randomness_complaints, "data", "make_moons(100)", "without random_state="),
    (randomness_complaints, "train", "DataLoader(x, shuffle=True)", "shuffles without generator="),
    (assert_complaints, "train", "def f(x):\n    assert x > 0", "train:2: assert"),
    (length_complaints, "train", "def f():\n" + "    x = 1\n" * 25, "f has 26 lines, at most 25"),
    (length_complaints, "train", "def __init__(self):\n" + "    x = 1\n" * 25, "at most 25"),
    (length_complaints, "nets.unet", "def __init__(self):\n" + "    x = 1\n" * 50, "at most 50"),
    (length_complaints, "train", "# why\n" * 251, "251 lines, at most 250"),
    (docstring_complaints, "train", "def f(): ...", "f has no docstring"),
    (
        docstring_complaints,
        "train",
        "class A:\n    'a'\n    def g(self): ...",
        "g has no docstring",
    ),
    (docstring_complaints, "train", "class A: ...", "A has no docstring"),
]
CITATIONS = partial(citation_complaints, claimed={"2.7"})
VIOLATIONS += [
    (CITATIONS, "train", "def f():\n    'The mean (2.8).'", "no test claims (2.8)"),
    (CITATIONS, "train", "'Both (2.7, 2.9).'", "no test claims (2.9)"),
]

INNOCENT = [
    (import_complaints, "diffusion.gaussian", "from diffedu.diffusion.schedules import linear"),
    (import_complaints, "diffusion.gaussian", "from ..shapes import Batch\nimport torch.nn"),
    (import_complaints, "train", "from . import data\nfrom .diffusion import gaussian"),
    (
        import_complaints,
        "classroom.widgets.a",
        "from ..plots import show\nfrom ..views import tour",
    ),
    (import_complaints, "recipes", "from diffedu import expect, metrics, train"),
    (import_complaints, "__main__", "from diffedu import launch"),
    (foreign_import_complaints, "classroom.plots.live", "from matplotlib.axes import Axes"),
    (foreign_import_complaints, "classroom.widgets.a", "import ipywidgets"),
    (print_complaints, "recipes", "print('trained')"),
    (randomness_complaints, "data", "torch.randn(3, generator=g).normal_(generator=g)"),
    (randomness_complaints, "data", "g = torch.Generator().manual_seed(0)"),
    (randomness_complaints, "data", "np.random.default_rng(0).normal(0, 1, 5)"),
    (randomness_complaints, "data", "make_moons(100, random_state=0)"),
    (randomness_complaints, "nets.blocks", "nn.init.normal_(w)"),
    (
        length_complaints,
        "train",
        "def f():\n    '''a\n\n    b'''\n" + "    # why\n\n    x = 1\n" * 24,
    ),
    (length_complaints, "nets.unet", "def __init__(self):\n" + "    x = 1\n" * 49),
    (docstring_complaints, "train", "def _f(): ...\nclass A:\n    'a'\n    def forward(s, x): ..."),
    (
        CITATIONS,
        "train",
        "'''The mean (2.7), for N(1.5), f(x)(1.5) and (DDPM eq. 4), near (0.5).'''",
    ),
]


def name(value) -> str | None:
    function = getattr(value, "func", value)
    return function.__name__ if inspect.isfunction(function) else None


@pytest.mark.parametrize("rule, module, source, said", VIOLATIONS, ids=name)
def test_a_planted_violation_is_reported(rule, module, source, said):
    complaints = rule(module, source)
    assert len(complaints) == 1
    assert said in complaints[0]


@pytest.mark.parametrize("rule, module, source", INNOCENT, ids=name)
def test_its_innocent_twin_is_not_reported(rule, module, source):
    assert rule(module, source) == []


def test_a_room_s_door_shows_its_own_modules_only():
    door = partial(import_complaints, "nets", is_package=True)
    assert door("from .unet import UNet\nfrom diffedu.nets.blocks import ResBlock") == []
    assert "its own modules only" in door("from ..shapes import Batch")[0]


def test_a_docstring_in_the_middle_of_long_code_is_not_counted():
    source = """
        def f(x):
            '''One line.'''
            text = '''two
            lines'''
            # a comment
            return x, text
    """
    assert len(layout_rules._code_lines(textwrap.dedent(source))) == 4


def test_a_new_entry_of_the_top_level_is_reported():
    files = ["README.md", "diffedu/data.py", "scratch/a.py"]
    assert top_level_complaints(files, {"README.md", "diffedu"}) == ["top level: scratch"]


def test_every_rule_has_a_planted_violation():
    planted = {name(rule) for rule, *_ in VIOLATIONS} | {"top_level_complaints"}
    rules = {n for m in (layout_rules, import_rules) for n in vars(m) if n.endswith("_complaints")}
    assert rules == planted
