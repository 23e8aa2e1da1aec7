"""Each rule about notebooks, labels and links reports a violation planted in a good notebook."""

import copy
import json

import pytest

import label_rules
import notebook_rules
from label_rules import claims_in, label_complaints, link_complaints
from notebook_rules import (
    cell_complaints,
    definitions_in,
    execution_complaints,
    frame_complaints,
    image_complaints,
    metadata_complaints,
    path_complaints,
    size_complaints,
    widget_complaints,
)

NAME = "02_small.ipynb"
OPENING = "# 02 · Small\n\n**You will be able to** a. **You need** b. **Time** c."
BOX = 'The mean:\n<a id="eq-2-7"></a>\n$$x \\tag{2.7}$$ See [(2.7)](#eq-2-7).'
FIGURE = '<figure><img alt="a line" src="data:image/png;base64,/usr/abc="></figure>'
CLOSING = "## Summary\n\n## Exercises\n\n## Further reading\n[this](02_small.ipynb#Summary)"


def markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": slide("slide"), "source": text}


def code(source: str, count: int | None, *outputs: dict) -> dict:
    cell = {"cell_type": "code", "metadata": slide("-"), "source": source}
    return {**cell, "execution_count": count, "outputs": list(outputs)}


def slide(kind: str) -> dict:
    return {"slideshow": {"slide_type": kind}}


def shown(**data) -> dict:
    mimes = {"html": "text/html", "png": "image/png", "view": notebook_rules.WIDGET_MIMES[0]}
    mimes |= {"text": "text/plain"}
    data = {mimes[key]: value for key, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


GOOD = {
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        markdown(OPENING),
        code("def f(x):\n    return x", 1),
        code("%matplotlib inline\nshow(ax, 'a line')", 2, shown(html=FIGURE, text="a line")),
        markdown(BOX),
        code("", None),
        markdown(CLOSING),
    ],
}
RULES = (
    execution_complaints,
    widget_complaints,
    path_complaints,
    metadata_complaints,
    cell_complaints,
    frame_complaints,
    image_complaints,
    label_complaints,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_good_notebook_passes(rule):
    assert rule(NAME, GOOD) == []


def error(nb):
    nb["cells"][1]["outputs"] = [{"output_type": "error", "traceback": ["no"]}]


def bare_picture(nb):
    nb["cells"][1]["outputs"] = [shown(png="iVBOR", text="<Figure size 1>")]


VIOLATIONS = [
    (execution_complaints, lambda nb: nb["cells"][1].update(execution_count=None), "[None, 2]"),
    (execution_complaints, lambda nb: nb["cells"][2].update(execution_count=3), "[1, 3]"),
    (execution_complaints, error, "cell 1 ends in an error"),
    (widget_complaints, lambda nb: nb["metadata"].update(widgets={}), "metadata.widgets"),
    (widget_complaints, lambda nb: nb["cells"][1]["outputs"].append(shown(view={})), "holds"),
    (path_complaints, lambda nb: nb["cells"][1].update(source="open('/opt/x')"), "cell 1"),
    (path_complaints, lambda nb: nb["cells"][0].update(source="see /home/me/x"), "cell 0"),
    (path_complaints, lambda nb: nb["cells"][0].update(source=r"C:\Users\me"), "cell 0"),
    (path_complaints, lambda nb: nb["cells"][2]["outputs"].append(shown(text="/usr/x")), "cell 2"),
    (
        path_complaints,
        lambda nb: nb["cells"][2]["outputs"].append({"output_type": "stream", "text": ["/opt/x"]}),
        "cell 2",
    ),
    (metadata_complaints, lambda nb: nb["metadata"]["kernelspec"].update(name="ir"), "got ir"),
    (metadata_complaints, lambda nb: nb["cells"][3].update(metadata={}), "cell 3: slide_type"),
    (
        cell_complaints,
        lambda nb: nb["cells"].insert(1, code("1", 1)),
        "cell 3 is code cell number 3",
    ),
    (cell_complaints, lambda nb: nb["cells"][1].update(source="x\n" * 21), "has 21 lines"),
    (frame_complaints, lambda nb: nb["cells"].pop(0), "the first cell misses **Time**"),
    (frame_complaints, lambda nb: nb["cells"][0].update(source=OPENING[1:]), "not a title"),
    (frame_complaints, lambda nb: nb["cells"].pop(), "does not close with ## Summary"),
    (frame_complaints, lambda nb: nb["cells"].append(markdown("## More")), "does not close"),
    (image_complaints, bare_picture, "use show(fig, alt)"),
    (image_complaints, lambda nb: nb["cells"][2]["outputs"].append(shown(html="<img>")), "alt"),
    (image_complaints, lambda nb: nb["cells"].append(markdown("![](a.png)")), "without a text"),
    (image_complaints, lambda nb: nb["cells"].append(markdown('<img alt=" " src="a">')), "alt"),
    (label_complaints, lambda nb: nb["cells"].append(markdown("$$\\tag{2.8}$$")), "has no <a id"),
    (label_complaints, lambda nb: nb["cells"].append(markdown('<a id="eq-2-8"></a>')), "no \\tag"),
    (
        label_complaints,
        lambda nb: nb["cells"].append(markdown('<a id="eq-3-1"></a>\\tag{3.1}')),
        "(3.1) is not of the form 2.M",
    ),
]


@pytest.mark.parametrize(
    "rule, spoil, said", VIOLATIONS, ids=lambda v: getattr(v, "__name__", None)
)
def test_a_planted_violation_is_reported(rule, spoil, said):
    notebook = copy.deepcopy(GOOD)
    spoil(notebook)
    assert said in "\n".join(rule(NAME, notebook))


def test_a_large_file_is_reported():
    assert size_complaints(NAME, "é" * 499_999) == []
    assert size_complaints(NAME, "é" * 500_000) == [
        f"{NAME}: 1000000 bytes, less than 1000000 wanted"
    ]


def test_an_address_on_the_web_is_no_path_of_a_machine():
    notebook = copy.deepcopy(GOOD)
    notebook["cells"][0]["source"] = "https://a.org/usr/x, ../data/opt/x and a/var/x, $f:\\R$"
    assert path_complaints(NAME, notebook) == []


def test_a_name_in_two_notebooks_is_reported_and_one_twice_in_a_notebook_is_not():
    cells = [
        code("def f(): ...\nclass _A:\n    def method(self): ...", 1),
        code("!ls\nif x:\n    %time y\ng = lambda x: x\ndef f(): ...", 2),
        code("%%bash\ndef not_python", 3),
    ]
    defined = definitions_in({"cells": cells})
    assert defined == ["_A", "f", "g"]
    where = {"a": defined, "b": ["f", "h"]}
    assert label_rules.duplicate_complaints(where, "function") == ["function f is in a and b"]


def test_an_equation_twice_in_a_notebook_is_reported():
    labels = label_rules.labels_in(
        {"cells": [markdown(BOX), markdown(BOX), markdown("`\\tag{9.9}`")]}
    )
    assert label_rules.duplicate_complaints({"a": labels}, "equation") == [
        "equation 2.7 is in a and a"
    ]


def test_claims_are_found_on_functions_classes_modules_and_parameters():
    source = """
pytestmark = pytest.mark.identity("1.1")
@pytest.mark.identity("1.2", "1.3")
class TestA:
    @pytest.mark.identity("1.4")
    def test(self): "@pytest.mark.identity('9.9')"
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.identity("1.5"))])
def test(x): ...
"""
    assert sorted(claims_in(source)) == ["1.1", "1.2", "1.3", "1.4", "1.5"]


def test_an_unclaimed_equation_and_an_unknown_claim_are_reported():
    assert label_rules.claim_complaints({"1.1", "1.2"}, {"1.2", "1.3"}) == [
        "no test claims (1.1)",
        "a test claims (1.3), which no notebook has",
    ]


@pytest.mark.parametrize(
    "text, said",
    [
        ("[a](missing.md)", "missing.md leads nowhere"),
        ("[a](other.md#nothing)", "no such anchor"),
        ("[(2.8)](#eq-2-7)", "the link (2.8) leads to #eq-2-7"),
        ("[(2.7)](#eq-2-9)", "no such anchor"),
        ('<a href="missing.md">a</a>', "leads nowhere"),
        ('<img alt="a" src="missing.png">', "leads nowhere"),
        ("![a](missing.png)", "leads nowhere"),
        ("[![a](missing.png)](other.md)", "missing.png leads nowhere"),
    ],
)
def test_a_link_to_nowhere_is_reported(text, said, tmp_path):
    (tmp_path / "other.md").write_text("## A heading, `here`\n")
    (complaint,) = link_complaints(NAME, [BOX, text], tmp_path)
    assert said in complaint


def test_links_that_lead_somewhere_pass(tmp_path):
    (tmp_path / "other.md").write_text("## A heading, `here`\n")
    (tmp_path / NAME).write_text(json.dumps(GOOD))
    good = "[a](other.md#a-heading-here) [b](02_small.ipynb#Further-reading) `[c](missing.md)`"
    more = "[(2.7)](02_small.ipynb#eq-2-7) <https://a.org> [d](https://a.org/x) [e](.)"
    assert link_complaints("01_a.ipynb", [good, more], tmp_path) == []


def test_every_rule_has_a_planted_violation():
    planted = {rule.__name__ for rule, *_ in VIOLATIONS}
    apart = {"size", "duplicate", "claim", "link", "alt"}  # alt through image
    rules = {n for m in (notebook_rules, label_rules) for n in vars(m) if n.endswith("_complaints")}
    assert rules == planted | {f"{rule}_complaints" for rule in apart}
