"""Progress of a training as JSON lines, for whoever started it to show."""

import json
from collections.abc import Callable
from typing import TextIO

Tell = Callable[[str, float], None]
"""Called with the step's name and how much of the whole is done (0–1)."""

STEPS: tuple[tuple[str, float], ...] = (
    ("read history", 0.03),
    ("compute features", 0.30),
    ("train autoencoder", 0.35),
    ("compare imbalance methods", 0.60),
    ("train trees", 0.78),
    ("train trees on the whole window", 0.93),
    ("write bundle", 1.0),
)
"""Each step and the share of the whole that is done when it ends."""


def silent(step: str, done: float) -> None:
    """Nobody is watching."""
    del step, done


class JsonLines:
    """Writes `{"step": …, "done": …}` a line, at most one a percent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, int] = ("", -1)

    def __call__(self, step: str, done: float) -> None:
        """Write a line unless the same was just written."""
        now = (step, int(done * 100))
        if now == self._last:
            return
        self._last = now
        self._stream.write(json.dumps({"step": step, "done": round(done, 2)}) + "\n")
        self._stream.flush()


def within(tell: Tell, step: str) -> Callable[[float], None]:
    """How a step tells its own progress (0–1), placed within the whole."""
    names = [name for name, _ in STEPS]
    index = names.index(step)
    start = STEPS[index - 1][1] if index else 0.0
    end = STEPS[index][1]
    tell(step, start)
    return lambda share: tell(step, start + (end - start) * share)
