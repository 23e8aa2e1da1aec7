"""Every message of every exercise as one text; `python tests/golden_messages.py` stores it.

Read the difference aloud before you commit it: is it kind, exact, short, and does it leave the
discovery to the learner?
"""

import math
import os
import re
import sys
import tempfile
from pathlib import Path

FILE = Path(__file__).parent / "golden" / "messages.md"
LABEL = re.compile(r"\((\d+)\.(\d+)\)")
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
CLOSE = 0.06  # two digits are shown, and the last of them may round differently elsewhere


def messages(exercise) -> str:
    """The stub's card, the right one's, and one for each way to be wrong."""
    from diffedu.classroom.checks.course import Check
    from diffedu.classroom.checks.exercise import Prediction
    from diffedu.classroom.checks.record import Record

    is_guess = isinstance(exercise, Prediction)
    check = Check(exercise, Record())
    everyone = [*exercise.misconceptions, *exercise.together]
    attempts = [exercise.reference, *(wrong.wrong for wrong in everyone)]
    cards = [str(check(... if is_guess else lambda *arguments: ...))]
    if exercise.bug:
        cards = []  # its stub is its first misconception
    cards += [str(check(attempt() if is_guess else attempt)) for attempt in attempts]
    cards += [str(check.hint()) for _ in exercise.hints]
    return "\n\n".join([f"## {exercise.name}", *cards])


def same_text(one: str, other: str) -> bool:
    """Equal words, and numbers that agree as far as they are shown."""
    one, other = (LABEL.sub(_as_word, text) for text in (one, other))
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=CLOSE, abs_tol=1e-12) for a, b in pairs)


def _as_word(label: re.Match) -> str:
    """(2.7) is a name and no number: (2.8) is not close to it."""
    return f"({'|' * int(label[1])}.{'|' * int(label[2])})"


def stored() -> dict[str, str]:
    """The stored text of each exercise."""
    parts = re.split(r"^(?=## )", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0][3:]: part.strip() for part in parts}


def main() -> None:
    """Write the file anew."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from diffedu.classroom.checks.course import EXERCISES

    os.environ["DIFFEDU_PROGRESS"] = str(Path(tempfile.mkdtemp()) / "progress.jsonl")
    head = "# What the exercises say\n\nWritten by `python tests/golden_messages.py`."
    text = "\n\n\n".join([head, *(messages(exercise) for exercise in EXERCISES)])
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
