"""The compose file: by its schema, and by what the programs it starts and the broker it stands in for really are."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import serving_folder
from streams.brokers.kafka_server import server_settings
from tests.deployment_files import PROGRAMS, ROOT, by_schema, compose, given, parsed

SERVING = "/prepared/serving"
OURS = ("prepare", "nightly", "scorer", "harness")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


def test_it_is_a_compose_file(tmp_path: Path) -> None:
    (tmp_path / "resolved.yaml").write_text(yaml.safe_dump(compose()), encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("services: {kafka: {imagine: kafka}}", encoding="utf-8")
    by_schema("compose-spec", tmp_path / "resolved.yaml")
    with pytest.raises(AssertionError, match="imagine"):
        by_schema("compose-spec", tmp_path / "wrong.yaml")


def test_compose_itself_takes_it() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not on this machine")
    done = subprocess.run(
        [docker, "compose", "--profile", "job", "config", "--quiet"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OURS)
def test_commands_are_understood_by_the_programs(services: dict[str, Any], name: str) -> None:
    service = services[name]
    read = parsed(service["image"], service["command"])
    for option, value in given(service["command"]).items():
        assert str(read[_parameter(option)]) in {value, f"{value}.0"}, option


def _parameter(option: str) -> str:
    return option.replace("-", "_")


def test_an_unknown_option_would_be_noticed(services: dict[str, Any]) -> None:
    service = services["scorer"]
    with pytest.raises(Exception, match="No such option"):
        parsed(service["image"], [*service["command"], "--imagined=1"])


def test_kafka_is_the_one_our_own_broker_runs(services: dict[str, Any], tmp_path: Path) -> None:
    lock = (ROOT / "streams" / "brokers" / "kafka.lock").read_text(encoding="utf-8")
    locked = re.search(r"^org\.apache\.kafka:kafka_2\.13:(\S+) ", lock, re.MULTILINE)
    assert locked is not None
    assert services["kafka"]["image"] == f"apache/kafka:{locked[1]}"
    ours = server_settings(tmp_path, 9092, 9093)
    placed = ("LISTENERS", "LISTENER", "CONTROLLER", "QUORUM")
    for name, value in services["kafka"]["environment"].items():
        setting = name.removeprefix("KAFKA_").lower().replace("_", ".")
        if setting in ours and not any(word in name for word in placed):
            assert value == ours[setting], name
    for needed in ("log.retention.ms", "log.message.timestamp.after.max.ms", "auto.create.topics.enable"):
        assert f"KAFKA_{needed.upper().replace('.', '_')}" in services["kafka"]["environment"]


def test_scorers_start_from_what_prepare_writes(services: dict[str, Any]) -> None:
    assert given(services["prepare"]["command"])["out"] == SERVING
    for name in ("nightly", "scorer"):
        options = given(services[name]["command"])
        assert options["bundle"] == f"{SERVING}/{serving_folder.BUNDLE}"
        assert options["state"] == f"{SERVING}/{serving_folder.STATE}"
        assert services[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    assert given(services["scorer"]["command"])["rules"] == f"{SERVING}/{serving_folder.RULES}"
    assert given(services["harness"]["command"])["scenario"] == f"{SERVING}/{serving_folder.SCENARIO}"
    assert given(services["harness"]["command"])["cache-dir"] == given(services["prepare"]["command"])["cache-dir"]


def test_all_speak_of_the_same_topics_and_broker(services: dict[str, Any]) -> None:
    options = {name: given(services[name]["command"]) for name in ("nightly", "scorer", "harness")}
    assert {found["bootstrap-servers"] for found in options.values()} == {"kafka:9092"}
    prefixes = {options["nightly"]["prefix"], options["scorer"]["prefix"], options["harness"]["topic-prefix"]}
    assert len(prefixes) == 1
    assert all(float(options[name]["topics-wait-s"]) > 0 for name in ("nightly", "scorer"))


def test_scorers_can_be_scaled(services: dict[str, Any]) -> None:
    assert not {"container_name", "ports", "hostname"} & set(services["scorer"])


@pytest.mark.parametrize("name", [*OURS, "prometheus", "grafana"])
def test_containers_are_hardened_and_ports_are_on_the_loopback(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged", False)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_image_of_ours_is_built_from_a_stage(services: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    for name in OURS:
        assert services[name]["build"]["target"] in stages
        assert services[name]["image"] in PROGRAMS
