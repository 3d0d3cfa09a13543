"""What the review threshold did: recall, precision, false positives, by fraud scenario and genuine look-alike.

An event is flagged when it was decided as review or block. A lost event is never flagged.
"""

from typing import Any

import numpy as np

from harness.quality.scored import Bools, Codes, Scored


def share(part: int | float, whole: int | float) -> float | None:
    """`part` of `whole`; None of nothing."""
    return float(part / whole) if whole else None


def threshold_measures(scored: Scored) -> dict[str, Any]:
    """Recall (by events and by money), precision, false-positive rate of genuine events and of genuine cards."""
    fraud, flagged = scored.is_fraud, scored.flagged
    caught = fraud & flagged
    money = scored.amount_minor
    return {
        "flagged": int(flagged.sum()),
        "caught": int(caught.sum()),
        "recall": share(int(caught.sum()), int(fraud.sum())),
        "recall_amount": share(int(money[caught].sum()), int(money[fraud].sum())),
        "precision": share(int(caught.sum()), int(flagged.sum())),
        "false_positive_rate": share(int((flagged & ~fraud).sum()), int((~fraud).sum())),
        "false_positive_rate_cards": _flagged_genuine_cards(scored),
    }


def _flagged_genuine_cards(scored: Scored) -> float | None:
    """Of the cards without any fraud, the share with at least one flagged event."""
    cards = len(scored.card_names)
    seen = np.bincount(scored.card, minlength=cards) > 0
    compromised = np.bincount(scored.card[scored.is_fraud], minlength=cards) > 0
    bothered = np.bincount(scored.card[scored.flagged], minlength=cards) > 0
    genuine = seen & ~compromised
    return share(int((genuine & bothered).sum()), int(genuine.sum()))


def by_scenario(scored: Scored) -> dict[str, dict[str, Any]]:
    """Per fraud scenario: frauds, caught, recall by events and by money."""
    found: dict[str, dict[str, Any]] = {}
    for code, name, chosen in _groups(scored.scenario, scored.scenario_names, scored.is_fraud):
        caught = chosen & scored.flagged
        found[name] = {
            "frauds": code,
            "caught": int(caught.sum()),
            "recall": share(int(caught.sum()), code),
            "recall_amount": share(int(scored.amount_minor[caught].sum()), int(scored.amount_minor[chosen].sum())),
        }
    return found


def by_look_alike(scored: Scored) -> dict[str, dict[str, Any]]:
    """Per genuine look-alike: events, flagged, and the false-positive rate among them."""
    found: dict[str, dict[str, Any]] = {}
    for events, name, chosen in _groups(scored.look_alike, scored.look_alike_names, ~scored.is_fraud):
        flagged = int((chosen & scored.flagged).sum())
        found[name] = {"events": events, "flagged": flagged, "false_positive_rate": share(flagged, events)}
    return found


def _groups(codes: Codes, names: list[str], among: Bools) -> list[tuple[int, str, Bools]]:
    """(size, name, members) of every name that occurs, largest first."""
    groups = [(name, among & (codes == code)) for code, name in enumerate(names)]
    sized = [(int(members.sum()), name, members) for name, members in groups]
    return sorted((group for group in sized if group[0]), key=lambda group: (-group[0], group[1]))
