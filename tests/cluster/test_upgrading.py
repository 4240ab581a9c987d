"""Upgrades change what they have to, and a bad one changes nothing."""

import pytest

from contracts.services import SERVICES
from tests.cluster.kubectl import CommandError, Kubectl, until
from tests.deploy.chart import VALUES

NEXT = ("--set", "image.tag=next")


def uids(namespace: Kubectl, service: str) -> set[str]:
    """The ids of a service's pods: another pod has another."""
    return {pod["metadata"]["uid"] for pod in namespace.pods(service)}


def tags(namespace: Kubectl) -> set[str]:
    """The tags of all images that services run."""
    pods = [pod for service in SERVICES for pod in namespace.pods(service)]
    return {c["image"].rpartition(":")[2] for pod in pods for c in pod["spec"]["containers"]}


def test_an_upgrade_is_rolled_back_and_leaves_nothing(namespace: Kubectl) -> None:
    namespace.install()
    namespace.upgrade(*NEXT)
    until(lambda: tags(namespace) == {"next"})
    namespace.helm("rollback", "realtoros", "1", "--wait", "--timeout", "5m")
    until(lambda: tags(namespace) == {"0.1.0"})
    namespace.helm("uninstall", "realtoros", "--wait")
    until(lambda: namespace.leftovers() == [])


def test_a_failing_job_leaves_the_old_revision_serving(namespace: Kubectl) -> None:
    namespace.install()
    before = {service: uids(namespace, service) for service in SERVICES}
    with pytest.raises(CommandError, match="pre-upgrade hooks failed"):
        namespace.upgrade("--set", "image.tag=broken")
    assert {service: uids(namespace, service) for service in SERVICES} == before
    [failed] = namespace.objects("jobs")
    assert failed["metadata"]["name"] == "realtoros-topics"
    # The exit code for a wrong setting: it is not tried again.
    assert failed["status"]["failed"] == 1
    namespace.upgrade(*NEXT)
    assert tags(namespace) == {"next"}


def test_an_upgrade_starts_new_pods_only_where_something_has_changed(namespace: Kubectl) -> None:
    for service in SERVICES:
        namespace("create", "secret", "generic", f"realtoros-{service}", "--from-literal=A=1")
    namespace.install("--values", VALUES["small"])
    before = {service: uids(namespace, service) for service in SERVICES}
    namespace("patch", "secret", "realtoros-crm", "--patch", '{"stringData": {"A": "2"}}')
    namespace.upgrade("--values", VALUES["small"])
    after = {service: uids(namespace, service) for service in SERVICES}
    assert [service for service in SERVICES if after[service] != before[service]] == ["crm"]
