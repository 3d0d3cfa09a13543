"""A checked, compiled set of typologies: scores for rows, and the banded reasons of one."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rules.columns import Column
from rules.errors import RuleError
from rules.kernel import run_rules
from rules.language import Condition, Rule
from rules.marked_yaml import MarkedDocument, parse_marked_yaml, read_marked_yaml
from rules.program import Program, compile_rules
from rules.typologies.checks import validated
from rules.typologies.kernel import score_rows
from rules.typologies.language import TypologyFile
from rules.typologies.program import Variant, compile_typologies, variants_of
from rules.wording import filled
from streams.decision import Reason
from streams.markets import MARKETS
from streams.markets.market import DEFAULT_THRESHOLD_USD

_logger = logging.getLogger("riskbench.rules")

SHIPPED = Path(__file__).parents[1] / "aml"
"""The packs that come with Riskbench, one a typology."""
NS_PER_DAY = 86_400_000_000_000
MARKET_NUMBERS: Mapping[str, int] = {code: number for number, code in enumerate(MARKETS)}
"""Numbers of markets, as `TypologyPack.score` takes them; any other number is a market that is not known."""


@dataclass(frozen=True, slots=True)
class Typology:
    """One typology of a pack: its file, its variants, and which one each market has (the last: none known)."""

    file: TypologyFile
    variants: tuple[Variant, ...]
    variant_of: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its name, as the file has it."""
        return self.file.typology

    @property
    def window_ns(self) -> int:
        """How far back its evidence reaches."""
        return round(self.file.window_days * NS_PER_DAY)

    def variant(self, market: int) -> Variant:
        """The typology as a market (a number of `MARKET_NUMBERS`) has it."""
        known = 0 <= market < len(self.variant_of) - 1
        return self.variants[self.variant_of[market if known else -1]]


class TypologyPack:
    """Typologies, compiled. Immutable; safe to use from several threads.

    `typologies` are in the order given, the order of the scores' columns. `alert_at` float64 [P, markets + 1]: from
    which score each is an alert in each market (the last column: no market known). `version` is a short hash of what
    the files say and of the thresholds they are measured by.
    """

    def __init__(self, files: Sequence[TypologyFile], columns: Sequence[Column], warnings: Sequence[str] = ()) -> None:
        thresholds = {code: market.reporting_threshold_usd_minor / 100 for code, market in MARKETS.items()}
        known = {column.name: column for column in columns}
        self.columns = tuple(columns)
        self.warnings = tuple(warnings)
        self._column_at = {column.name: index for index, column in enumerate(columns)}
        self.typologies = tuple(_typology(file, known, thresholds) for file in files)
        self.names = tuple(each.name for each in self.typologies)
        self.version = _version(files, thresholds)
        self._program = compile_typologies(
            [each.variants for each in self.typologies],
            [each.variant_of for each in self.typologies],
            self._column_at,
        )
        self.alert_at = self._program.alert_at
        self._gate_of, self._gates = _gates(files, columns)

    @property
    def reads(self) -> frozenset[int]:
        """The columns that scores depend on; what stands in others changes none."""
        gates = {int(column) for column in self._gates.tests[:, 1]}
        return frozenset(gates | {int(column) for column in self._program.rule_column})

    def score(self, values: NDArray[np.float32], market: NDArray[np.int32]) -> NDArray[np.float64]:
        """The typologies' scores in 0..1, float64 [n, P], on float32 [n, F] (columns in the order given at load, NaN
        where missing) and the market of each row, int32 [n] (a number of `MARKET_NUMBERS`, any other: not known).

        Raises `ValueError` for another type or shape.
        """
        if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] != len(self.columns):
            found = f"{values.dtype}{list(values.shape)}"
            raise ValueError(f"typologies take float32[n, {len(self.columns)}], found {found}")
        if market.dtype != np.int32 or market.shape != (len(values),):
            raise ValueError(f"typologies take markets int32[{len(values)}], found {market.dtype}{list(market.shape)}")
        values = np.ascontiguousarray(values)
        program = self._program
        scores = np.empty((len(values), len(self.typologies)), np.float64)
        score_rows(
            values,
            market,
            self._passes(values),
            self._gate_of,
            program.variant_of,
            program.first_rule,
            program.rule_column,
            program.first_band,
            program.lows,
            program.highs,
            program.weights,
            program.scale,
            scores,
        )
        return scores

    def _passes(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which rows the gates let through, bool [n, G]."""
        count, gates = len(values), self._gates
        passes = np.empty((count, len(gates.starts)), np.bool_)
        unused = np.empty(count, np.int8), np.empty(count, np.int16), np.empty(count, np.float64)
        if len(gates.starts):
            run_rules(
                values,
                gates.tests,
                gates.bounds,
                gates.members,
                gates.starts,
                gates.outcomes,
                gates.scores,
                passes,
                *unused,
            )
        return passes

    def reasons(self, typology: int, values_row: NDArray[np.float32], market: int) -> list[Reason]:
        """The bands that speak for a typology on one row, the weightiest first; code `RULE.n` for a rule's nth band."""
        variant = self.typologies[typology].variant(market)
        hits = []
        for rule, bands in zip(variant.rules, variant.bands, strict=True):
            value = values_row[self._column_at[rule.column]]
            hit = next((band for band in bands if band.holds(value)), None)
            if hit is not None and hit.weight > 0:
                band = rule.bands[hit.band]
                text = filled(band.reason, self.columns, self._column_at, values_row)
                cause = rule.cause or self.columns[self._column_at[rule.column]].family
                reason = Reason(code=f"{rule.code}.{hit.band + 1}", text=text, kind="rule", cause=cause)
                hits.append((-hit.weight, hit.rule, reason))
        return [reason for *_, reason in sorted(hits, key=lambda hit: hit[:2])]


def load_typologies(paths: Sequence[Path | str], columns: Sequence[Column]) -> TypologyPack:
    """Read, check and compile typology files against the columns they may speak of; the order is that of the scores.

    Raises `RuleError`, which names file, line, market, rule, column, value and bound of everything that is wrong.
    """
    return _built([read_marked_yaml(Path(path)) for path in paths], columns)


def shipped_typologies(columns: Sequence[Column]) -> TypologyPack:
    """The packs that come with Riskbench, by name."""
    return load_typologies(sorted(SHIPPED.glob("*.yaml")), columns)


def parse_typologies(texts: Mapping[str, str], columns: Sequence[Column]) -> TypologyPack:
    """As `load_typologies`, from texts by the file's name in errors."""
    return _built([parse_marked_yaml(text, source) for source, text in texts.items()], columns)


def _built(documents: Sequence[MarkedDocument], columns: Sequence[Column]) -> TypologyPack:
    files: dict[str, TypologyFile] = {}
    sources: dict[str, str] = {}
    warnings: list[str] = []
    for document in documents:
        file, said = validated(document, columns, MARKETS)
        if file.typology in files:
            line = document.line(("typology",))
            text = f"typology '{file.typology}' is already that of {sources[file.typology]}"
            raise RuleError([f"{document.source}:{line}: {text}"])
        files[file.typology], sources[file.typology] = file, document.source
        warnings += said
    if not files:
        raise RuleError(["no typology file was given"])
    for warning in warnings:
        _logger.warning("%s", warning)
    pack = TypologyPack(list(files.values()), columns, warnings)
    # Compiled here, so that the first transfer does not wait for the compiler.
    pack.score(np.full((1, len(columns)), np.nan, np.float32), np.zeros(1, np.int32))
    return pack


def _typology(file: TypologyFile, columns: Mapping[str, Column], thresholds: Mapping[str, float]) -> Typology:
    variants, chosen = variants_of(file, columns, thresholds, float(DEFAULT_THRESHOLD_USD))
    return Typology(file, tuple(variants), tuple(chosen))


def _gates(files: Sequence[TypologyFile], columns: Sequence[Column]) -> tuple[NDArray[np.int32], Program]:
    """Which gate each typology has (-1: none), and the gates as a program of conditions."""
    conditions = [(number, file.when) for number, file in enumerate(files) if file.when is not None]
    gate_of = np.full(len(files), -1, np.int32)
    for gate, (number, _) in enumerate(conditions):
        gate_of[number] = gate
    rules = [_gate(number, condition) for number, condition in conditions]
    return gate_of, compile_rules(rules, columns, [0] * len(rules))


def _gate(number: int, condition: Condition) -> Rule:
    return Rule(
        name=f"gate_{number}", priority=number + 1, outcome="escalate", code=f"G{number}", score=0.0,
        sentence="-", when=condition,
    )  # fmt: skip


def _version(files: Sequence[TypologyFile], thresholds: Mapping[str, float]) -> str:
    said = [file.model_dump(mode="json", by_alias=True, exclude_none=True) for file in files]
    content = {"files": sorted(said, key=lambda file: str(file["typology"])), "thresholds": dict(thresholds)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.blake2b(canonical, digest_size=6).hexdigest()
