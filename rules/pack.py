"""A rule pack: a checked, compiled rule file that decides micro-batches."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rules.checks import validated
from rules.columns import Column
from rules.errors import RuleError
from rules.kernel import run_rules
from rules.language import Fallback, Rule, RuleFile
from rules.marked_yaml import MarkedDocument, parse_marked_yaml, read_marked_yaml
from rules.program import compile_rules
from rules.telling import cause_of
from rules.wording import filled
from streams.decision import Reason

__all__ = ["APPROVE", "BLOCK", "ESCALATE", "REVIEW", "RuleError", "RulePack", "Verdicts", "load_pack", "parse_pack"]

_logger = logging.getLogger("riskbench.rules")

ESCALATE, APPROVE, REVIEW, BLOCK = 0, 1, 2, 3
OUTCOME_NUMBERS = {"escalate": ESCALATE, "approve": APPROVE, "review": REVIEW, "block": BLOCK}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules say of a micro-batch.

    `outcome` int8[n]: 0 escalate to the model, 1 approve, 2 review, 3 block. `deciding` int16[n]: index in the pack's
    rules of the one that decided, -1 where none did. `fired` bool[n, R], in the pack's order. `score` float64[n]: the
    deciding rule's score; where none decided, the noisy-or of the rules that fired (0 where none did).
    """

    outcome: NDArray[np.int8]
    deciding: NDArray[np.int16]
    fired: NDArray[np.bool_]
    score: NDArray[np.float64]


class RulePack:
    """A compiled rule file. Immutable; safe to use from several threads.

    `rules` are in priority order, the order of `Verdicts.fired`. `version` is a short hash of everything the file says
    (not of its layout or comments). `warnings` are the categories it names that this data's vocabulary does not hold.
    """

    def __init__(self, file: RuleFile, columns: Sequence[Column], warnings: Sequence[str] = ()) -> None:
        self.name = file.name
        self.rules: tuple[Rule, ...] = tuple(sorted(file.rules, key=lambda rule: rule.priority))
        self.columns = tuple(columns)
        self.warnings = tuple(warnings)
        self.version = _version(file, self.rules)
        self._thresholds: Fallback = file.fallback
        self._column_at = {column.name: index for index, column in enumerate(self.columns)}
        known = {column.name: column for column in self.columns}
        self._causes = {rule.code: rule.cause or cause_of(rule.when, known) for rule in self.rules}
        self._program = compile_rules(self.rules, self.columns, [OUTCOME_NUMBERS[rule.outcome] for rule in self.rules])

    def decide(self, values: NDArray[np.float32]) -> Verdicts:
        """The verdicts on float32[n, F] (columns in the order given at load, NaN where missing).

        Raises `ValueError` for another type or shape.
        """
        if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] != len(self.columns):
            found = f"{values.dtype}{list(values.shape)}"
            raise ValueError(f"rules take float32[n, {len(self.columns)}], found {found}")
        count = len(values)
        program = self._program
        verdicts = Verdicts(
            outcome=np.empty(count, dtype=np.int8),
            deciding=np.empty(count, dtype=np.int16),
            fired=np.empty((count, len(self.rules)), dtype=np.bool_),
            score=np.empty(count, dtype=np.float64),
        )
        run_rules(
            np.ascontiguousarray(values),
            program.tests,
            program.bounds,
            program.members,
            program.starts,
            program.outcomes,
            program.scores,
            verdicts.fired,
            verdicts.outcome,
            verdicts.deciding,
            verdicts.score,
        )
        return verdicts

    def fallback(self, verdicts: Verdicts) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        """Decide without a model: outcome int8[n] (1 approve, 2 review, 3 block) and score float64[n].

        Where a rule decided, its decision stands; elsewhere the noisy-or of the fired rules' scores (Pearl,
        Probabilistic Reasoning in Intelligent Systems, 1988, §4.3.2) is held against the file's thresholds.
        """
        score = verdicts.score
        by_score = np.where(score >= self._thresholds.review, np.int8(REVIEW), np.int8(APPROVE))
        by_score[score >= self._thresholds.block] = BLOCK
        return np.where(verdicts.outcome != ESCALATE, verdicts.outcome, by_score), score.copy()

    def reasons(self, fired_row: NDArray[np.bool_], values_row: NDArray[np.float32]) -> list[Reason]:
        """Why, in words: the deciding rule first, then the others that fired and do not speak for approval."""
        fired: list[int] = np.flatnonzero(fired_row).tolist()
        deciding = next((index for index in fired if self.rules[index].outcome != "escalate"), None)
        others = [index for index in fired if index != deciding and self.rules[index].outcome != "approve"]
        ordered = others if deciding is None else [deciding, *others]
        return [self._reason(self.rules[index], values_row) for index in ordered]

    def fired(self, fired_row: NDArray[np.bool_], values_row: NDArray[np.float32]) -> list[tuple[int, Rule, Reason]]:
        """Every rule that fired, in the pack's order: its index, the rule, and its reason (also of those that
        approve)."""
        found: list[int] = np.flatnonzero(fired_row).tolist()
        return [(index, self.rules[index], self._reason(self.rules[index], values_row)) for index in found]

    def _reason(self, rule: Rule, values_row: NDArray[np.float32]) -> Reason:
        text = filled(rule.sentence, self.columns, self._column_at, values_row)
        return Reason(code=rule.code, text=text, kind="rule", cause=self._causes[rule.code])


def load_pack(path: Path | str, columns: Sequence[Column]) -> RulePack:
    """Read, check and compile a rule file against the columns it may speak of.

    Raises `RuleError`, which names file, line, rule, column, value and bound of everything that is wrong. Categories
    that the vocabulary does not hold are warnings (logged, and kept in `RulePack.warnings`): data differ.
    """
    return _built(read_marked_yaml(Path(path)), columns)


def parse_pack(text: str, columns: Sequence[Column], source: str = "rules.yaml") -> RulePack:
    """As `load_pack`, from text; `source` is the file's name in errors."""
    return _built(parse_marked_yaml(text, source), columns)


def _built(document: MarkedDocument, columns: Sequence[Column]) -> RulePack:
    file, warnings = validated(document, columns)
    for warning in warnings:
        _logger.warning("%s", warning)
    pack = RulePack(file, columns, warnings)
    # Compiled here, so that the first event does not wait for the compiler.
    pack.decide(np.full((1, len(columns)), np.nan, dtype=np.float32))
    return pack


def _version(file: RuleFile, rules: Sequence[Rule]) -> str:
    content = file.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["rules"] = [rule.model_dump(mode="json", by_alias=True, exclude_none=True) for rule in rules]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.blake2b(canonical, digest_size=6).hexdigest()
