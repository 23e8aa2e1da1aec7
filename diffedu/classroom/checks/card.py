"""How a message looks: a small card in Jupyter, the same words as plain text elsewhere."""

import html
import re
from dataclasses import dataclass

from diffedu.classroom.plots import Frame, figure_html

# by notebook number; tests compare the list with the folder
NOTEBOOKS = {
    1: "01_the_forward_process.ipynb",
    2: "02_the_posterior.ipynb",
    3: "03_the_variational_bound.ipynb",
    4: "04_from_the_bound_to_l_simple.ipynb",
    5: "05_sampling.ipynb",
    6: "06_attention.ipynb",
    7: "07_many_heads.ipynb",
    8: "08_attention_on_images.ipynb",
    9: "09_linear_attention.ipynb",
    10: "10_cross_attention.ipynb",
}
LABEL = re.compile(r"\((\d+)\.(\d+)\)")
CODE = re.compile(r"`([^`]+)`")
# Only the edge has a colour of ours: text and background are the theme's, light or dark.
EDGES = {"passed": "#009E73", "wrong": "#D55E00", "not attempted": "#888888", "note": "#0072B2"}


@dataclass(frozen=True, eq=False)
class Card:
    """A title, sentences, perhaps a picture or a listing, and a last line with the next step."""

    title: str
    words: tuple[str, ...]
    kind: str = "note"
    next_step: str = ""
    picture: Frame | None = None
    listing: str = ""

    def __str__(self) -> str:
        """The card as plain text."""
        lines = [self.title, *self.words]
        if self.picture is not None:
            lines.append(f"(A picture, shown in Jupyter: {self.picture.words})")
        if self.listing:
            lines.append(self.listing.rstrip())
        return "\n".join([*lines, *([self.next_step] if self.next_step else [])])

    def html(self) -> str:
        """The card as HTML; whatever came from the learner is escaped."""
        edge = EDGES[self.kind]
        parts = [f'<div style="font-weight:600">{_rich(self.title)}</div>']
        parts += [f'<div style="margin-top:.3em">{_rich(words)}</div>' for words in self.words]
        if self.picture is not None:
            parts.append(figure_html(self.picture))
        if self.listing:
            parts.append(_listing(self.listing))
        if self.next_step:
            step = _rich(self.next_step)
            parts.append(f'<div style="margin-top:.5em">{step}</div>')
        style = f"border-left:4px solid {edge};padding:.3em .9em;margin:.4em 0;max-width:46em"
        return f'<div style="{style}">{"".join(parts)}</div>'


def _rich(text: str) -> str:
    """Escaped text in which equation labels are links and `code` is code."""
    escaped = CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
    return LABEL.sub(_link, escaped)


def _link(match: re.Match) -> str:
    number, position = match.groups()
    notebook = NOTEBOOKS.get(int(number))
    if notebook is None:
        return match[0]
    return f'<a href="{notebook}#eq-{number}-{position}">{match[0]}</a>'


def _listing(source: str) -> str:
    style = "margin:.5em 0 0;padding:.5em;overflow-x:auto;border:1px solid #8884;font-size:.9em"
    return f'<pre style="{style}">{html.escape(source.rstrip())}</pre>'
