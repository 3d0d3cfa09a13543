"""What must not happen: secrets that are told, files that run code when they are read, doors open to the network."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from harness.scenario import Breaker
from harness.scorers import Reach, ScorerSetup, _command
from scorer.__main__ import app as scorer
from streams.brokers import ports
from streams.brokers.clients import consumer, producer
from streams.brokers.connection import connection_from
from streams.brokers.ports import free_ports
from tests.unit.project.test_house_style import EVERY_SOURCE, SOURCES, dotted, relative

PASSWORD = "correct-horse-battery"  # noqa: S105
UNSAFE_YAML = {
    f"yaml.{name}"
    for name in (
        "load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all",
        "Loader", "CLoader", "FullLoader", "UnsafeLoader",
    )
}  # fmt: skip
RUNS_CODE = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def attributes(path: Path) -> set[str]:
    return {dotted(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


def test_yaml_is_data_and_nothing_else() -> None:
    used = {relative(path): attributes(path) & UNSAFE_YAML for path in EVERY_SOURCE if "yaml" in path.read_text()}
    assert {name: found for name, found in used.items() if found} == {}


def code_run(path: Path) -> Iterator[str]:
    """What runs code when a file is read, or lets a shell do so."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (f"{relative(path)}: {name}" for name in names if name.split(".")[0] in RUNS_CODE)
        for keyword in getattr(node, "keywords", []):
            constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in {"allow_pickle", "shell"} and constant is not False:
                yield f"{relative(path)}:{keyword.value.lineno} {keyword.arg}"


def test_no_file_is_read_in_a_way_that_runs_code() -> None:
    assert [told for path in SOURCES for told in code_run(path)] == []


def test_each_of_it_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.project.test_house_style.ROOT", tmp_path)
    bad = tmp_path / "bad.py"
    bad.write_text(
        "import os, pickle.x\nfrom joblib import y\nload(allow_pickle=True)\nrun(shell=flag)\nok(shell=False)\n"
    )
    assert list(code_run(bad)) == ["bad.py: pickle.x", "bad.py: joblib", "bad.py:3 allow_pickle", "bad.py:4 shell"]
    bad.write_text("import yaml\nyaml.full_load(text)\n")
    assert attributes(bad) & UNSAFE_YAML == {"yaml.full_load"}


def test_the_rule_would_notice() -> None:
    assert dotted(ast.parse("yaml.unsafe_load").body[0].value) in UNSAFE_YAML  # type: ignore[attr-defined]


def test_nothing_listens_beyond_this_machine_unless_told_to() -> None:
    command: Any = typer.main.get_command(scorer)
    defaults = {parameter.name: parameter.default for parameter in command.params}
    assert defaults["metrics_host"] == "127.0.0.1"
    assert ports.LOOPBACK == "127.0.0.1"
    for path in SOURCES:
        constants = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert not constants & {"0.0.0.0", "::"}, relative(path)  # noqa: S104


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "client.properties"
    path.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=alice\n"
        f"sasl.password={PASSWORD}\nssl.key.password={PASSWORD}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def address() -> str:
    """Where nothing listens."""
    return f"127.0.0.1:{free_ports(1)[0]}"


def test_no_client_tells_its_password_even_when_it_tells_everything(
    config: Path, address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = connection_from(address, config)
    log = logging.getLogger("any")
    log.debug("%s %r %r", connection, connection.security, {"settings": connection})
    for settings in (connection.for_confluent(), connection.for_kafka_python(), connection.for_aiokafka()):
        log.debug("%s %r", settings, settings)
    for client in (producer(connection, extra={"debug": "all", "log_level": 7}), consumer(connection, "group")):
        client.poll(0.3)
    client = AdminClient({**connection.for_confluent(), "debug": "all", "logger": log})
    with pytest.raises(KafkaException, match=r"_TRANSPORT|_TIMED_OUT"):
        client.list_topics(timeout=0.5)
    client.poll(0)
    told = caplog.text + "".join(capfd.readouterr())
    assert "alice" in told
    assert address in told
    assert PASSWORD not in told


def test_no_command_line_and_no_plan_holds_a_password(config: Path, address: str, tmp_path: Path) -> None:
    reach = Reach(address, config, "prefix", tmp_path, tmp_path)
    setup = ScorerSetup("native", 1, tmp_path, None, tmp_path, "flagged", Breaker(), nightly=True)
    words = _command(setup, reach, "worker", "worker-1")
    assert str(config) in words
    assert PASSWORD not in " ".join(words)
    assert PASSWORD not in repr(reach) + repr(reach.connection) + str(reach.connection)
