"""The chart agrees with the code that it runs."""

import subprocess
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from chassis import service as chassis
from chassis.inbox import reading
from chassis.process import server
from contracts.catalogue import DEFAULT_PREFIX, PARTITIONS
from contracts.services import SERVICES
from ops.describe import settings_of
from tests.deploy.chart import CHART, EXAMPLES, VALUES, Manifest, helm, manifests, pod_of
from tests.deploy.schemas import definitions, problems

# Definitions that no Go module has: these examples are not verified.
NOT_TO_BE_HAD = ("kafka.strimzi.io", "psmdb.percona.com")
RENDERED = {name: manifests("--values", path) for name, path in VALUES.items()}

ways = pytest.mark.parametrize("way", VALUES)
services = pytest.mark.parametrize("service", SERVICES)


def deployment(service: str, way: str) -> Manifest:
    [found] = [
        manifest
        for manifest in RENDERED[way]
        if (manifest["kind"], manifest["metadata"]["name"])
        == ("Deployment", f"realtoros-{service}")
    ]
    return found


def environment(service: str, way: str) -> dict[str, str]:
    pod = pod_of(deployment(service, way))
    return {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}


def of_kind(way: str, kind: str) -> list[Manifest]:
    return [manifest for manifest in RENDERED[way] if manifest["kind"] == kind]


@ways
def test_helm_lints_it(way: str) -> None:
    helm("lint", "--strict", CHART, "--values", VALUES[way])


@ways
@services
def test_all_that_is_set_is_a_setting_and_all_that_is_required_is_set(
    service: str, way: str
) -> None:
    fields = settings_of(service).model_fields
    given = {name.removesuffix("_FILE") for name in environment(service, way)}
    unknown = {name for name in given if name.lower() not in fields}
    assert {name for name in unknown if not name.startswith(("KAFKA_", "MONGODB_"))} == set()
    assert {name.upper() for name, field in fields.items() if field.is_required()} <= given


@ways
@services
def test_secrets_are_files(service: str, way: str) -> None:
    fields = settings_of(service).model_fields
    secrets = {name.upper() for name, field in fields.items() if SecretStr in _types(field)}
    assert secrets & environment(service, way).keys() == set()


def _types(field: Any) -> tuple[Any, ...]:
    return (field.annotation, *getattr(field.annotation, "__args__", ()))


@ways
@services
def test_a_stop_ends_within_the_grace(service: str, way: str) -> None:
    pod = pod_of(deployment(service, way))
    hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    stop = (
        server.REQUEST_SECONDS
        + chassis.DRAIN_SECONDS
        + reading.STOP_SECONDS
        + chassis.FLUSH_SECONDS
    )
    assert pod["terminationGracePeriodSeconds"] > hook.get("seconds", 0) + stop


@ways
def test_hooks_need_nothing_that_the_chart_makes(way: str) -> None:
    made = {(m["kind"], m["metadata"]["name"]) for m in RENDERED[way]}
    for job in of_kind(way, "Job"):
        pod = pod_of(job)
        assert "serviceAccountName" not in pod
        needed = {("Secret", v["secret"]["secretName"]) for v in pod["volumes"] if "secret" in v}
        assert needed & made == set()
        assert "envFrom" not in pod["containers"][0]


def test_consumers_are_as_many_as_partitions_at_most() -> None:
    for service in set(SERVICES) - {"gateway"}:
        scaling = f"services.{service}.autoscaling"
        options = ("--set", f"{scaling}.enabled=true", "--set")
        helm("template", CHART, *options, f"{scaling}.maxReplicas={PARTITIONS}")
        with pytest.raises(subprocess.CalledProcessError):
            helm("template", CHART, *options, f"{scaling}.maxReplicas={PARTITIONS + 1}")


def test_lag_is_of_the_services_group() -> None:
    found = {m["metadata"]["name"]: m["spec"] for m in of_kind("secured", "ScaledObject")}
    groups = {name: s["triggers"][0]["metadata"]["consumerGroup"] for name, s in found.items()}
    consumers = [service for service in SERVICES if service != "gateway"]
    assert groups == {f"realtoros-{name}": f"{DEFAULT_PREFIX}{name}" for name in consumers}


@ways
def test_only_composer_and_mailer_reach_the_internet(way: str) -> None:
    reach = {
        policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for policy in of_kind(way, "NetworkPolicy")
        if "0.0.0.0/0" in yaml.safe_dump(policy)
    }
    assert reach == {"composer", "mailer"}


@ways
def test_no_service_has_a_port_for_metrics(way: str) -> None:
    ports = {
        port["targetPort"]
        for service in of_kind(way, "Service")
        for port in service["spec"]["ports"]
    }
    assert ports == {"http"}


@ways
def test_custom_resources_fit_their_definitions(way: str) -> None:
    custom = [m for m in RENDERED[way] if (m["apiVersion"], m["kind"]) in definitions()]
    assert [problem for manifest in custom for problem in problems(manifest)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_their_definitions(path: Any) -> None:
    found = [m for m in yaml.safe_load_all(path.read_text()) if "." in m["apiVersion"]]
    known = [m for m in found if not m["apiVersion"].startswith(NOT_TO_BE_HAD)]
    assert [problem for manifest in known for problem in problems(manifest)] == []
