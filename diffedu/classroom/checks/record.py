"""Which exercises were tried and which are done: one small file, one line for each event.

The file is `diffedu_progress.jsonl` in the folder the notebook runs in; DIFFEDU_PROGRESS names
another. It may be deleted at any time. Lines are only ever appended, each in one write, so that
several notebooks can be open at once.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

FILE = "diffedu_progress.jsonl"
EVENTS = ("tried", "done")


@dataclass
class Record:
    """The record of this process: what the file says, and what could not be written to it."""

    unsaved: set[tuple[str, str]] = field(default_factory=set)

    def add(self, exercise: str, event: str) -> None:
        """Note an event, once. A folder that cannot be written to costs only the memory."""
        if (exercise, event) in self.events()[0]:
            return
        line = json.dumps({"exercise": exercise, "event": event})
        try:
            with open(_path(), "ab") as file:
                file.write(f"\n{line}\n".encode())  # the first end closes a line torn by a crash
        except OSError:
            self.unsaved.add((exercise, event))

    def events(self) -> tuple[set[tuple[str, str]], str]:
        """Everything noted so far, and a sentence about what is wrong with the file, or ""."""
        try:
            lines = _path().read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            return set(self.unsaved), f"{FILE} cannot be read ({type(error).__name__})."
        read = [_event(line) for line in lines if line.strip()]
        known = {event for event in read if event is not None} | self.unsaved
        if not read or None not in read:
            return known, _unsaved_words(self.unsaved)
        if any(read):
            return known, _damaged_words(read.count(None))
        return known, _set_aside()


def _path() -> Path:
    return Path(os.environ.get("DIFFEDU_PROGRESS") or FILE)


def _event(line: bytes) -> tuple[str, str] | None:
    """The event of a line; None if the line is damaged."""
    try:
        entry = json.loads(line)
        exercise, event = entry["exercise"], entry["event"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (exercise, event) if isinstance(exercise, str) and event in EVENTS else None


def _damaged_words(count: int) -> str:
    lines = "1 damaged line" if count == 1 else f"{count} damaged lines"
    return f"{lines} of {FILE} {'is' if count == 1 else 'are'} left out; the rest counts."


def _unsaved_words(unsaved: set[tuple[str, str]]) -> str:
    return f"{FILE} cannot be written here: the list lasts as long as this kernel." * bool(unsaved)


def _set_aside() -> str:
    """Move a file without a single readable line out of the way, and keep it."""
    path = _path()
    aside = path.with_name(f"{path.name}.damaged")
    try:
        path.replace(aside)
    except OSError:
        return f"{path.name} is damaged and cannot be moved away."
    return f"{path.name} was damaged: it is now {aside.name}, and the list starts afresh."
