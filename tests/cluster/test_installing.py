"""Every way of installing it works under enforced Pod Security, and leaves nothing behind."""

import re
from pathlib import Path

import pytest

from contracts.services import SERVICES
from tests.cluster.kubectl import CommandError, Kubectl, until
from tests.deploy.chart import EXAMPLES, KUBERNETES, VALUES, template

# No Go module has the definitions of these.
NOT_TO_BE_HAD = ("strimzi", "strimzi-users", "mongodb-sharded")


@pytest.mark.parametrize("way", VALUES)
def test_it_is_installed_tested_and_removed(namespace: Kubectl, way: str) -> None:
    namespace.install("--values", VALUES[way])
    available = [d["status"]["availableReplicas"] for d in namespace.objects("deployments")]
    assert len(available) == len(SERVICES)
    order = _order(namespace)
    assert order == sorted(order), "topics, then indexes, then pods"
    namespace.helm("test", "realtoros")
    namespace.helm("uninstall", "realtoros", "--wait")
    until(lambda: namespace.leftovers() == [])


def test_the_plain_manifests_do_without_helm(namespace: Kubectl) -> None:
    for name, kind, condition in (
        ("jobs", "jobs", "complete"),
        ("realtoros", "deployments", "available"),
    ):
        text = (KUBERNETES / "plain" / f"{name}.yaml").read_text()
        given = text.replace("namespace: realtoros", f"namespace: {namespace.namespace}")
        namespace("apply", "--filename", "-", given=given)
        namespace("wait", kind, "--all", f"--for=condition={condition}", "--timeout=5m")


def test_the_namespace_refuses_what_is_not_restricted(namespace: Kubectl) -> None:
    """Else the tests above would prove nothing."""
    with pytest.raises(CommandError, match="violates PodSecurity"):
        namespace("run", "open", "--image=localhost/open")


@pytest.mark.parametrize("way", VALUES)
def test_the_api_server_takes_it_strictly(cluster: Kubectl, way: str) -> None:
    _dry_run(cluster, template("--values", VALUES[way]))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_api_server_takes_the_examples_strictly(cluster: Kubectl, path: Path) -> None:
    if path.stem in NOT_TO_BE_HAD:
        return
    _dry_run(cluster, path.read_text())


def test_a_misspelt_field_is_found(cluster: Kubectl) -> None:
    text = template().replace("maxUnavailable: 1", "maxUnavailible: 1")
    with pytest.raises(CommandError, match="unknown field"):
        _dry_run(cluster, text)


def _order(namespace: Kubectl) -> list[int]:
    """When each job began and ended, and the first Deployment was scaled, by etcd's revisions."""
    events = namespace.objects("events", "")

    def revision(name: str, reason: str) -> int:
        return min(
            int(event["metadata"]["resourceVersion"])
            for event in events
            if event["involvedObject"]["name"] == f"realtoros-{name}" and event["reason"] == reason
        )

    return [
        revision("topics", "SuccessfulCreate"),
        revision("topics", "Completed"),
        revision("indexes", "SuccessfulCreate"),
        revision("indexes", "Completed"),
        min(revision(service, "ScalingReplicaSet") for service in SERVICES),
    ]


def _dry_run(cluster: Kubectl, manifests: str) -> None:
    """Have the API server check manifests, as if of a namespace that exists; it stores nothing."""
    flags = ("--dry-run=server", "--validate=strict", "--filename", "-")
    given = re.sub(r"(?m)^  namespace: .*$", "  namespace: default", manifests)
    cluster("apply", *flags, given=given)
