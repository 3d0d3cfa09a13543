"""The Kubernetes manifests: by the API's schemas, by kustomize where there is one, and by the programs they start."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from harness import serving_folder
from tests.deployment_files import KUBERNETES, PROGRAMS, filled_in, given, objects, parsed, settings

OLDEST, NEWEST = "1.30", "1.37"
OBJECTS = objects()
WORKLOADS = [key for key in OBJECTS if key[0] in {"Deployment", "Job"}]
CUSTOM = {"PodMonitor"}
"""Kinds that come with the Prometheus operator, not with Kubernetes."""


def pod(workload: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = OBJECTS[workload]["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("key", [key for key in OBJECTS if key[0] not in CUSTOM], ids="/".join)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_objects_are_of_the_api(key: tuple[str, str], version: str) -> None:
    kubernetes_validate.validate(OBJECTS[key], version, strict=True)


def test_a_misspelt_field_would_be_noticed() -> None:
    wrong = {**OBJECTS["Service", "scorer"], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@pytest.mark.parametrize("workload", WORKLOADS, ids="/".join)
def test_commands_are_understood_by_the_programs(workload: tuple[str, str]) -> None:
    values = {**settings(), "POD_NAME": "scorer-1"}
    (container,) = pod(workload)["containers"]
    arguments = filled_in(container["args"], values)
    read = parsed(container["image"], arguments)
    for option, value in given(arguments).items():
        assert str(read[option.replace("-", "_")]) in {value, f"{value}.0"}, option
    assert container["image"] in PROGRAMS


@pytest.mark.parametrize("workload", WORKLOADS, ids="/".join)
def test_pods_are_restricted(workload: tuple[str, str]) -> None:
    spec = pod(workload)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
    namespace = OBJECTS["Namespace", "riskbench"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("workload", WORKLOADS, ids="/".join)
def test_what_is_mounted_is_there(workload: tuple[str, str]) -> None:
    spec = pod(workload)
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    parts = [*spec["containers"], *spec.get("initContainers", [])]
    mounted = [mount for part in parts for mount in part["volumeMounts"]]
    assert {mount["name"] for mount in mounted} == set(volumes)
    for volume in volumes.values():
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        assert claim is None or ("PersistentVolumeClaim", claim) in OBJECTS
    assert {"/cache", "/tmp"} <= {mount["mountPath"] for mount in mounted}  # noqa: S108


@pytest.mark.parametrize("name", ["scorer", "nightly"])
def test_ready_is_asked_apart_from_alive(name: str) -> None:
    (container,) = pod(("Deployment", name))["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["startupProbe"]["httpGet"]["path"] == "/health"
    (port,) = container["ports"]
    assert port == {"name": "metrics", "containerPort": 9464}


def test_scorers_start_from_what_prepare_writes() -> None:
    (prepare,) = pod(("Job", "prepare"))["containers"]
    serving = given(prepare["args"])["out"]
    for name in ("scorer", "nightly"):
        (container,) = pod(("Deployment", name))["containers"]
        options = given(container["args"])
        assert options["bundle"] == f"{serving}/{serving_folder.BUNDLE}"
        assert options["state"] == f"{serving}/{serving_folder.STATE}"
        (first,) = pod(("Deployment", name))["initContainers"]
        assert f"{serving}/{serving_folder.MANIFEST}" in first["command"][-1]
    (harness,) = pod(("Job", "harness"))["containers"]
    assert given(harness["args"])["scenario"] == f"{serving}/{serving_folder.SCENARIO}"


def test_there_are_never_more_workers_than_partitions() -> None:
    scaling = OBJECTS["HorizontalPodAutoscaler", "scorer"]["spec"]
    assert scaling["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scorer"}
    assert scaling["maxReplicas"] <= int(settings()["PARTITIONS"])
    assert "replicas" not in OBJECTS["Deployment", "scorer"]["spec"], "the autoscaler's number would be overwritten"
    assert OBJECTS["Deployment", "nightly"]["spec"]["replicas"] == 1


def test_labels_are_found_by_those_who_select() -> None:
    label = OBJECTS["PodMonitor", "riskbench"]["spec"]["selector"]["matchLabels"]
    for name in ("scorer", "nightly"):
        labels = OBJECTS["Deployment", name]["spec"]["template"]["metadata"]["labels"]
        assert label.items() <= labels.items()
        assert OBJECTS["Deployment", name]["spec"]["selector"]["matchLabels"].items() <= labels.items()


def build(folder: Path) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on this machine")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_every_file_is_in_a_kustomization() -> None:
    for folder in [KUBERNETES, *(path for path in KUBERNETES.iterdir() if path.is_dir())]:
        loaded = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        named = {*loaded.get("resources", []), *(patch["path"] for patch in loaded.get("patches", []))}
        assert {path.name for path in folder.glob("*.yaml")} == {*named, "kustomization.yaml"}


def test_kustomize_makes_what_the_api_takes() -> None:
    made = [*build(KUBERNETES), *build(KUBERNETES / "measure")]
    for found in made:
        kubernetes_validate.validate(found, NEWEST, strict=True)
    names = {(found["kind"], found["metadata"]["name"]) for found in made}
    assert ("ConfigMap", "riskbench") in names
    assert {key for key in OBJECTS if key[0] not in CUSTOM} <= names


def test_a_secured_kafka_is_reached_by_a_file_and_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    for base, kind in (("", "Deployment"), ("measure", "Job")):
        overlay = tmp_path / (base or "base")
        overlay.mkdir()
        content = {
            "resources": [os.path.relpath(KUBERNETES / base, overlay)],
            "components": [os.path.relpath(KUBERNETES / "secured", overlay)],
        }
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        for found in build(overlay):
            kubernetes_validate.validate(found, NEWEST, strict=True)
            if found["kind"] == kind:
                spec = found["spec"]["template"]["spec"]
                assert "--kafka-config=/kafka/client.properties" in spec["containers"][0]["args"]
                assert "riskbench-kafka" in str(spec["volumes"])
