"""One cell of an ablation: a variant fitted on a window with a seed, and what it is worth on the events that follow."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ablation.case import Case, Window
from models.ablation.variants import Variant
from models.autoencoder import Autoencoder, fit_autoencoder
from models.boosting import Rows, fit_trees, margins
from models.fitting import reconstruction_errors, trees_columns, whole_columns
from models.imbalance import prepared
from models.metrics import average_precision, card_precision, roc_auc
from models.training_data import check_frauds
from streams.labels import NS_PER_DAY


@dataclass(frozen=True, slots=True)
class Measured:
    """How a window is measured: `k` cards a day, alerts on `budget_share` of the events, known cards in or out."""

    k: int
    budget_share: float
    label_delay_days: int
    without_known: bool


class Bench:
    """Fits variants on one window of a case with one seed. The autoencoder is fitted once for all of them."""

    def __init__(self, case: Case, window: Window, measured: Measured, seed: int) -> None:
        self._case, self._window, self._measured, self._seed = case, window, measured, seed
        self._train, self._labels = case.training_rows(window, measured.label_delay_days)
        self._test = case.test_rows(window, measured.label_delay_days, without_known=measured.without_known)
        check_frauds(self._labels, "training")
        check_frauds(case.fraud[self._test], "test")
        self._autoencoder: Autoencoder | None = None

    def fit(self, variant: Variant) -> dict[str, Any]:
        """Train the variant and measure it."""
        autoencoder = self._fitted_autoencoder(variant) if variant.fit.with_autoencoder else None
        after = reconstruction_errors(autoencoder, self._case.values[self._test])
        return self._worth(after if variant.error_is_score else self._margins(variant, autoencoder, after))

    def _fitted_autoencoder(self, variant: Variant) -> Autoencoder:
        if self._autoencoder is None:
            genuine = self._case.values[self._train[~self._labels]]
            rng = np.random.default_rng(self._seed)
            self._autoencoder = fit_autoencoder(genuine, variant.fit.autoencoder, rng)
        return self._autoencoder

    def _margins(
        self, variant: Variant, autoencoder: Autoencoder | None, errors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        fit, values = variant.fit, self._case.values
        before = reconstruction_errors(autoencoder, values[self._train])
        rows = Rows(trees_columns(values[self._train], before, fit), self._labels)
        method = fit.imbalance.method or "plain"
        ready, objective = prepared(method, rows, whole_columns(), fit.imbalance, np.random.default_rng(self._seed))
        booster = fit_trees(ready, None, fit.boosting, seed=self._seed, nthread=fit.nthread, objective=objective)
        return margins(booster, trees_columns(values[self._test], errors, fit), fit.nthread)

    def _worth(self, score: NDArray[np.float32]) -> dict[str, Any]:
        case, rows = self._case, self._test
        fraud, days = case.fraud[rows], case.time_ns[rows] // NS_PER_DAY
        alerts = max(1, int(self._measured.budget_share * len(rows)))
        flagged = np.zeros(len(rows), dtype=np.bool_)
        flagged[np.argsort(-score, kind="stable")[:alerts]] = True
        cards = card_precision(case.cards[rows], days, fraud, score, self._measured.k)
        kinds = case.scenario[rows]
        by_scenario = {
            name: {"frauds": int(here.sum()), "recall": float(flagged[here].mean())}
            for name, here in ((name, fraud & (kinds == code)) for code, name in enumerate(case.scenarios) if name)
            if here.any()
        }
        return {
            "events": len(rows),
            "frauds": int(fraud.sum()),
            "average_precision": average_precision(fraud, score),
            "roc_auc": roc_auc(fraud, score),
            "card_precision_at_k": cards.mean,
            "card_precision_at_k_ceiling": cards.ceiling,
            "recall": float(flagged[fraud].mean()),
            "precision": float(fraud[flagged].mean()),
            "by_scenario": by_scenario,
        }


def cells(
    case: Case, window: Window, measured: Measured, seed: int, chosen: tuple[Variant, ...], cache: Path
) -> Iterator[tuple[Variant, dict[str, Any]]]:
    """Each variant's figures, from `cache` where the same cell was computed before (same data, code and settings)."""
    bench: Bench | None = None
    for variant in chosen:
        settings = asdict(replace(variant.fit, seed=seed))
        told = [case.key, asdict(window), asdict(measured), settings, variant.error_is_score]
        digest = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()
        kept = cache / f"cell-{digest}.json"
        if kept.is_file():
            yield variant, json.loads(kept.read_text(encoding="utf-8"))
            continue
        bench = bench or Bench(case, window, measured, seed)
        found = bench.fit(variant)
        staging = kept.with_suffix(".part")
        staging.write_text(json.dumps(found), encoding="utf-8")
        staging.rename(kept)
        yield variant, found
