"""What a quantile of the response time is made of, in words."""

from collections.abc import Callable, Collection, Mapping

from harness.waterfall import STEPS

WORDS = {
    "sent": "sent late",
    "broker": "into the broker",
    "taken": "until taken",
    "table_wait": "wait for day table",
    "features": "features",
    "rules": "rules",
    "model": "model",
    "explain": "explain",
    "emitted": "rest of the scorer",
    "received": "back to the harness",
    "answered": "scorer and way back",
    "lost": "never answered",
}
WITHOUT_BROKER = {"taken": "to the scorer", "answered": "there, scorer and back"}
"""The step that holds the broker's too where the broker does not say when it had an event."""
NAMED = 3
SHARE_MIN = 0.05
"""A part is named when it is among the largest so many and at least this share."""


def step_words(steps: Collection[str]) -> dict[str, str]:
    """What each of `steps` is called, in order."""
    words = WORDS if "broker" in steps else WORDS | WITHOUT_BROKER
    return {step: words[step] for step in STEPS if step in steps}


def made_of_words(name: str, parts: Mapping[str, float], words: Mapping[str, str], ms: Callable[[float], str]) -> str:
    """`Of the P99, 20.1 ms, “model” takes 12.0 ms (60%), “until taken” 6.2 ms (31%), everything else 1.9 ms.`"""
    whole = sum(parts.values())
    largest = sorted(parts, key=lambda step: -parts[step])
    named = [step for step in largest[:NAMED] if parts[step] >= SHARE_MIN * whole] or largest[:1]
    told = [f"“{words[step]}” {ms(parts[step])}{_share(parts[step], whole)}" for step in named]
    told[0] = told[0].replace("” ", "” takes ", 1)
    if len(named) < len(parts):
        told.append(f"everything else {ms(whole - sum(parts[step] for step in named))}")
    return f"Of the {name}, {ms(whole)}, {', '.join(told)}."


def _share(part: float, whole: float) -> str:
    return f" ({part / whole:.0%})" if whole > 0 else ""
