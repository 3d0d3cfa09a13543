"""Dashboard and alerts speak only of what the processes really export, and are found where they are mounted."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.checkpoint.report import CheckpointMetrics
from scorer.counters import Counters
from scorer.guard_report import GuardMetrics
from scorer.guarded_model import GuardedModel
from scorer.health import NightlyMetrics, WorkerMetrics
from scorer.late_scores import LateScores
from tests.deployment_files import DEPLOY, compose

DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "riskbench.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
METRIC = re.compile(r"\b((?:riskbench|process)_[a-z_]+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(=~|=)\s*\"([^\"]*)\"")
FROM_SCRAPING = {"job", "instance"}
JOBS = {job["job_name"] for job in PROMETHEUS["scrape_configs"]}


def exported() -> dict[str, dict[str, set[str]]]:
    """Every sample's name, its labels and their values."""
    counters = Counters(lag=1, checkpoint_current_ns=0)
    counters.observe_stage("model", 1)
    clock = itertools.count().__next__
    guard = GuardedModel(Mock(), CircuitBreaker(BreakerConfig(), clock), clock)
    late = LateScores(None, Mock(), clock, time_limit_s=1.0, worker="w", model_version="m")
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(counters))
    registry.register(GuardMetrics(guard, late))
    registry.register(CheckpointMetrics(counters, clock))
    nightly = dict.fromkeys(("events", "dispositions", "unreadable", "tables_published", "next_day"), 1)
    registry.register(NightlyMetrics(lambda: nightly))
    ProcessCollector(registry=registry)
    found: dict[str, dict[str, set[str]]] = {"up": {}}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


EXPORTED = exported()


def expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def problems(expression: str) -> list[str]:
    """What an expression speaks of that nobody exports."""
    found = []
    for metric, matchers in METRIC.findall(expression):
        if metric not in EXPORTED:
            found.append(f"no metric {metric}")
            continue
        for label, operator, wanted in MATCHER.findall(matchers):
            known = JOBS if label == "job" else EXPORTED[metric].get(label, set())
            values = wanted.split("|") if operator == "=~" else [wanted]
            found += [f"{metric} has no {label} {value!r}" for value in values if value not in known]
    return found


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_expressions_speak_of_what_is_exported(where: str, expression: str) -> None:
    assert METRIC.search(expression), where
    assert problems(expression) == []
    for labels in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression):
        known = FROM_SCRAPING.union(*(EXPORTED[metric] for metric, _ in METRIC.findall(expression)))
        assert {label.strip() for label in labels.split(",")} <= known


def test_an_expression_of_something_else_would_be_noticed() -> None:
    assert problems("rate(riskbench_imagined_total[1m])") == ["no metric riskbench_imagined_total"]
    assert problems('riskbench_decided_total{path="imagined"}') == ["riskbench_decided_total has no path 'imagined'"]
    assert problems('up{job=~"scorer|imagined"}') == ["up has no job 'imagined'"]


def test_every_worker_s_counter_of_loss_or_doubt_is_shown() -> None:
    shown = {metric for _, expression in expressions() for metric, _ in METRIC.findall(expression)}
    for name in (
        "dead_lettered",
        "repeated",
        "late",
        "too_late",
        "tables_missed",
        "stale_tables",
        "explain_failed",
        "checkpoint_failed_cards",
        "checkpoint_refused",
        "replayed",
        "given_up",
    ):
        assert f"riskbench_{name}_total" in shown


def test_alerts_say_how_bad_and_what() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"]["summary"]


def test_scraping_finds_every_worker_by_its_service_s_name() -> None:
    services: dict[str, Any] = compose()["services"]
    for job in PROMETHEUS["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        assert found["names"] == [job["job_name"]]
        assert found["type"] == "A"
        assert str(found["port"]) in services[job["job_name"]]["expose"]
    assert PROMETHEUS["rule_files"] == ["alerts.yml"]


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    services: dict[str, Any] = compose()["services"]
    mounted = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    provisioned = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioned / "datasources" / "prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioned / "dashboards" / "riskbench.yml").read_text())["providers"]
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert source["url"] == "http://prometheus:9090"
    sources = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    assert sources == {source["uid"]}


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
