"""Pods are spread, kept and scaled by others than the chart."""

import json
from collections import Counter

import pytest

from contracts.services import SERVICES
from tests.cluster.kubectl import RELEASE, CommandError, Kubectl, until
from tests.deploy.chart import VALUES

PRODUCTION = ("--values", VALUES["production"])


def zones(namespace: Kubectl, service: str) -> list[int]:
    """How many pods of a service each zone has."""
    return sorted(Counter(pod["spec"].get("nodeName") for pod in namespace.pods(service)).values())


def test_pods_are_spread_over_zones_and_an_upgrade_leaves_their_number(
    namespace: Kubectl,
) -> None:
    namespace.install(*PRODUCTION)
    # As what scales them does.
    namespace("scale", "deployment", "--selector", RELEASE, "--replicas=4")
    for service in SERVICES:
        until(lambda service=service: zones(namespace, service) == [2, 2])  # type: ignore[misc]
    namespace.upgrade(*PRODUCTION, "--set", "image.tag=next")
    for service in SERVICES:
        until(lambda service=service: zones(namespace, service) == [2, 2])  # type: ignore[misc]
        assert namespace.get("deployment", f"realtoros-{service}")["spec"]["replicas"] == 4


def test_the_last_allowed_pod_is_not_evicted(namespace: Kubectl) -> None:
    namespace.install()
    _refuse_new_pods(namespace)
    budget = ("poddisruptionbudget", "realtoros-gateway")
    until(lambda: namespace.get(*budget)["status"].get("disruptionsAllowed") == 1)
    first, second = (pod["metadata"]["name"] for pod in namespace.pods("gateway"))
    _evict(namespace, first)
    with pytest.raises(CommandError, match=r"TooManyRequests.*disruption budget"):
        _evict(namespace, second)
    assert [pod["metadata"]["name"] for pod in namespace.pods("gateway")] == [second]


def _refuse_new_pods(namespace: Kubectl) -> None:
    """Let no new pod take the place of one that is evicted."""
    namespace("create", "quota", "none", "--hard=pods=0")
    until(lambda: namespace.get("quota", "none")["status"].get("used"))


def _evict(namespace: Kubectl, pod: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace.namespace},
    }
    path = f"/api/v1/namespaces/{namespace.namespace}/pods/{pod}/eviction"
    namespace("create", "--raw", path, "--filename", "-", given=json.dumps(eviction))
