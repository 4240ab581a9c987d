"""A control plane with one node, on which pods run as containers."""

from collections.abc import AsyncIterator, Iterator

import pytest
import yaml

from tests.cluster.control_plane import control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.pods.engine import NETWORK, SUBNET, network
from tests.cluster.pods.kubelet import Kubelet, running_node


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """podman's network, and the tiny image."""
    with network(tmp_path_factory.mktemp("podman")):
        yield


@pytest.fixture(scope="session")
async def cluster(
    containers: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kubectl]:
    """The control plane."""
    async with control_plane(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def node(
    cluster: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kubelet]:
    """The node `real`."""
    [server] = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"]
    url, folder = server["cluster"]["server"], tmp_path_factory.mktemp("node")
    async with running_node(url, "admin", folder, NETWORK, SUBNET) as kubelet:
        yield kubelet
