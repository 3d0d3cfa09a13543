"""The page of an ablation says only what its intervals allow."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel
from typer.testing import CliRunner

from harness.ablation.effects import BETTER, NOTHING, WORSE, effect, effects, scenario_recalls
from harness.ablation.page import write_page
from harness.cli import app

NAMES = ["default", "harmful", "idle"]


def cell(variant: str, seed: int, value: float, recall: float = 0.5) -> dict[str, Any]:
    return {
        "case": f"world-{seed}", "window": 0, "seed": seed, "variant": variant, "average_precision": value,
        "card_precision_at_k": value / 2, "card_precision_at_k_ceiling": 0.4, "roc_auc": 0.9, "recall": value,
        "by_scenario": {"theft": {"frauds": 10 * seed, "recall": recall}},
    }  # fmt: skip


@pytest.fixture
def cells() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    found = []
    for seed in (3, 1, 2, 5, 4):
        base = rng.normal(0.5, 0.1)
        found += [cell("default", seed, base), cell("harmful", seed, base - 0.05 + rng.normal(0, 0.005))]
        found.append(cell("idle", seed, base + rng.normal(0, 0.02), recall=1.0 if seed == 5 else 0.0))
    return found


def test_the_interval_is_the_paired_t_tests() -> None:
    rng = np.random.default_rng(3)
    default = rng.normal(0.5, 0.1, 6)
    own = default + rng.normal(0.01, 0.02, 6)
    found = effect(own.tolist(), default.tolist())
    expected = ttest_rel(own, default).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.difference == pytest.approx((own - default).mean())


def test_verdicts_follow_the_interval(cells: list[dict[str, Any]]) -> None:
    found = effects(cells, NAMES, "average_precision")
    assert found["harmful"].verdict == WORSE
    assert found["idle"].verdict == NOTHING
    assert effect([0.6, 0.61, 0.62], [0.5, 0.51, 0.52]).verdict == BETTER
    assert effect([0.9], [0.1]).verdict == NOTHING


def test_recall_by_scenario_counts_frauds_not_worlds(cells: list[dict[str, Any]]) -> None:
    assert scenario_recalls(cells, NAMES)["theft"] == pytest.approx({"default": 0.5, "harmful": 0.5, "idle": 50 / 150})


def test_the_page_says_what_helps_and_what_does_not(cells: list[dict[str, Any]]) -> None:
    variants = [{"name": name, "group": "parts", "words": name} for name in NAMES]
    part = {"title": "Worlds", "words": "Five of them.", "k": 10, "table": True, "cells": cells}
    own = {**part, "title": "The week", "table": False}
    page = write_page({
        "command": "bench ablate fraud", "date": "2026-01-01", "json": "quality.json", "variants": variants,
        "settings": {"seed": 1, "boosting": {"max_depth": 5}}, "versions": {"python": "3"}, "parts": [part, own],
    })  # fmt: skip
    assert "- worse than the default: harmful\n- no effect shown: idle\n" in page
    assert "- better than the default: none\n" in page
    assert "| boosting.max_depth | 5 |" in page
    assert "| theft | 0.50 | 0.50 | 0.33 |" in page
    week = page.split("## The week")[1]
    assert f"| default | {np.mean([c['average_precision'] for c in cells if c['variant'] == 'default']):.4f} |" in week


def test_the_command_refuses_another_kind_of_page() -> None:
    result = CliRunner().invoke(app, ["ablate", "fraud", "--out", "page.html"], obj={})
    assert "ends in .md" in str(result.exception)
