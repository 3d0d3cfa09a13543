"""What each rule did: how often it fired, how right that was, how often it decided."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from harness.quality.flags import share
from harness.quality.intervals import wilson
from harness.quality.reasons import GivenReasons
from harness.quality.scored import Bools, Scored
from streams.decision import PATHS

Basis = Literal["flagged", "all"]
DECIDED_NOTHING = "escalate"


def rule_outcomes(rules_file: Path) -> dict[str, str]:
    """Outcome of each rule of a rule file by its code; empty when the file cannot be read as one."""
    try:
        found = yaml.safe_load(rules_file.read_text(encoding="utf-8"))
        rules = found["rules"]
        return {str(rule["code"]): str(rule.get("outcome", DECIDED_NOTHING)) for rule in rules}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


def rule_rows(scored: Scored, given: GivenReasons, outcomes: Mapping[str, str], basis: Basis) -> list[dict[str, Any]]:
    """One row a rule, the most frequent first; rules of `outcomes` that never fired have no hits.

    Decisions say which rules fired. With `basis` flagged they say it of flagged decisions only: hits among what was
    approved are then not known, and the precision is that of the flagged hits. A rule decided where the decision's path
    is rules and it is the first reason.
    """
    rules = GivenReasons(
        given.event[given.is_rule],
        given.is_rule[given.is_rule],
        given.code[given.is_rule],
        given.codes,
        given.cause[given.is_rule],
        given.contribution[given.is_rule],
    )
    first = np.diff(rules.event, prepend=-1) != 0
    decided = first & (scored.path[rules.event] == PATHS.index("rules"))
    found = []
    for code in np.unique(rules.code):
        chosen = rules.code == code
        found.append(_row(scored, rules, chosen, decided & chosen, basis))
    named = {row["code"] for row in found}
    silent = [code for code in outcomes if code not in named]
    found += [_silent(code, basis) for code in silent]
    for row in found:
        row["outcome"] = outcomes.get(row["code"])
    return sorted(found, key=lambda row: (-row["hits"], row["code"]))


def _row(scored: Scored, rules: GivenReasons, chosen: Bools, decided: Bools, basis: Basis) -> dict[str, Any]:
    events = np.unique(rules.event[chosen])
    hits, frauds = len(events), int(scored.is_fraud[events].sum())
    interval = wilson(frauds, hits)
    return {
        "code": rules.codes[int(rules.code[chosen][0])],
        "hits": hits,
        "hit_rate": share(hits, len(scored)),
        "frauds": frauds,
        "precision": share(frauds, hits),
        "precision_low": interval["low"],
        "precision_high": interval["high"],
        "recall": share(frauds, int(scored.is_fraud.sum())),
        "decided": int(np.unique(rules.event[decided]).size),
        "basis": basis,
    }


def _silent(code: str, basis: Basis) -> dict[str, Any]:
    nothing = dict.fromkeys(("precision", "precision_low", "precision_high"))
    counts = {"hits": 0, "hit_rate": 0.0, "frauds": 0, "recall": 0.0, "decided": 0}
    return {"code": code, **counts, **nothing, "basis": basis}
