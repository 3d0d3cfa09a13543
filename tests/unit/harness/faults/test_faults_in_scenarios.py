"""Faults in scenario files: what is wrong is said with key, value and bound; what cannot be had, before a run."""

from typing import Any

import pytest
import yaml

from harness.faults.kinds import KINDS
from harness.faults.shortcut import fault_entry
from harness.faults.staging import refuse_impossible
from harness.scenario import Scenario, load_scenario, parse_scenario
from streams.errors import BadInputError

KIND_ABORT_GIVEN: tuple[tuple[str, Any], ...] = (("kind", "model-hang"), ("abort", {}), ("given_kafka", False))


def scenario(*faults: dict[str, Any], **changes: Any) -> Scenario:
    return load_scenario("fraud", {**changes, "faults": list(faults)})


def test_every_kind_is_echoed_with_its_defaults() -> None:
    for kind, model in KINDS.items():
        made = scenario({"kind": kind, "at_s": 3.0}, **{"scorer.workers": 2})
        (fault,) = made.faults
        assert type(fault) is model
        assert fault.felt_by
        echoed = yaml.safe_load(made.to_yaml())
        assert echoed["faults"][0]["duration_s"] == fault.duration_s
        assert parse_scenario(echoed, "echo") == made


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([{"kind": "kill", "at_s": 1.0}], "faults[0].kind = 'kill': must be one of model-slow"),
        ([{"at_s": 1.0}], "faults[0].kind: missing; one of model-slow"),
        ([{"kind": "model-slow", "at_s": 3.0, "delay": 5}], "faults[0].delay: unknown key; did you mean delay_ms?"),
        ([{"kind": "model-slow", "at_s": 3.0, "delay_ms": -5.0}], "faults[0].delay_ms = -5.0: must be greater than 0"),
        ([{"kind": "model-slow", "at_s": 3.0, "distribution": "x"}], "must be one of constant, exponential, lognormal"),
        ([{"kind": "model-hang"}], "faults[0]: give at_s (seconds since the start) or at_event_time"),
        ([{"kind": "model-hang", "at_s": 1.0, "at_event_time": "2026-01-01"}], "exactly one of them"),
        ([{"kind": "model-hang", "at_event_time": "soon"}], "at_event_time is 'soon', it must be a time such as"),
        ([{"kind": "model-hang", "at_s": 3.0, "abort": {"lag": 5}}], "faults[0].abort.lag: unknown key; did you mean"),
        ([{"kind": "model-hang", "at_s": 30.0}], "faults[0] (model-hang) ends 40 s after the start, the load after 35"),
        (
            [{"kind": "model-hang", "at_s": 5.0}, {"kind": "model-nan", "at_s": 3.0}],
            "faults[0] begins at 5 s, before faults[1] ends at 13 s",
        ),
        (3, "faults = 3: must be a list"),
        ([3], "faults[0] = 3: must be keys and values"),
    ],
)
def test_what_is_wrong_is_said(faults: Any, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load_scenario("fraud", {"faults": faults})
    message = str(caught.value)
    assert words in message
    for jargon in ("pydantic", "union", "discriminator", "model_attributes", "Input should"):
        assert jargon not in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scorer.command": "x"}, "a model inside a scorer of your own cannot be reached"),
        ({"scorer.engine": "inprocess", "abort": {"lag_max": 3}}, "abort cannot be watched"),
        ({"scorer.engine": "inprocess", "kind": "scorer-kill"}, "engine inprocess has no broker and one process"),
        ({"kind": "worker-kill"}, "needs 2 workers, the scorer has 1"),
        ({"kind": "scorer-pause", "scorer.kind": "external"}, "theirs to kill"),
        ({"kind": "broker-kill", "broker": "embedded"}, "loses messages when it is killed: use --broker apache"),
        ({"kind": "network-reset", "broker": "embedded"}, "cannot advertise the proxy's address"),
        ({"kind": "broker-pause", "given_kafka": True}, "a Kafka that runs already is left as it is"),
    ],
)
def test_what_cannot_be_had_is_refused_before_a_run(changes: dict[str, Any], words: str) -> None:
    kind, abort, given = (changes.pop(key, other) for key, other in KIND_ABORT_GIVEN)
    made = scenario({"kind": kind, "at_s": 3.0, "abort": abort}, **changes)
    with pytest.raises(BadInputError, match=words):
        refuse_impossible(made, given_kafka=given)


@pytest.mark.parametrize("kind", [kind for kind, model in KINDS.items() if model.need == "feed"])
def test_faults_of_the_input_are_of_card_transactions(kind: str) -> None:
    changes = {"load.rate_per_s": 100.0, "faults": [{"kind": kind, "at_s": 3.0}]}
    with pytest.raises(BadInputError, match="are of card transactions, this scenario streams transfers"):
        refuse_impossible(load_scenario("aml", changes, domain="aml"), given_kafka=False)


def test_a_fault_on_the_command_line() -> None:
    keys = ["delay_ms=250", "distribution=exponential", "expect.breaker_opens=false", "abort.lag_max=9"]
    entry = fault_entry("model-slow", 12.0, 4.0, keys)
    assert entry == {
        "kind": "model-slow",
        "at_s": 12.0,
        "duration_s": 4.0,
        "delay_ms": 250,
        "distribution": "exponential",
        "expect": {"breaker_opens": False},
        "abort": {"lag_max": 9},
    }
    assert scenario(entry).faults[0].breaker_opens is False


@pytest.mark.parametrize(
    ("kind", "keys", "words"),
    [
        ("model-melts", [], "--fault model-melts: no such kind; known are model-slow"),
        ("model-slow", ["delay_ms"], "'delay_ms': not KEY=VALUE; the keys of model-slow: delay_ms, distribution"),
        ("model-slow", ["delay_ms=[1"], "cannot be read as YAML"),
        ("model-slow", ["delay_ms=1", "delay_ms.x=2"], "delay_ms holds no keys"),
    ],
)
def test_bad_options_of_a_fault(kind: str, keys: list[str], words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        fault_entry(kind, 1.0, None, keys)
    assert words in str(caught.value)
