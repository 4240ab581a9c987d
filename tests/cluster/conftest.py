"""One control plane for all tests, a namespace for each."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
import yaml

from tests.cluster.control_plane import control_plane, pretended_nodes
from tests.cluster.kubectl import Kubectl, until
from tests.deploy.chart import CRDS, KUBERNETES


@pytest.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kubectl]:
    """The control plane, with the custom resources that the chart knows and two zones of nodes."""
    folder = tmp_path_factory.mktemp("cluster")
    async with control_plane(folder) as cluster:
        cluster("apply", "--server-side", "--filename", CRDS)
        async with pretended_nodes(cluster, folder):
            yield cluster


@contextmanager
def restricted(cluster: Kubectl) -> Iterator[Kubectl]:
    """Make a namespace that enforces Pod Security "restricted", as the example's does."""
    example = yaml.safe_load((KUBERNETES / "examples/namespace.yaml").read_text())
    example["metadata"]["name"] = name = f"test-{uuid4().hex[:8]}"
    cluster("create", "--filename", "-", given=yaml.safe_dump(example))
    own = replace(cluster, namespace=name)
    # Pods are refused until their account is there.
    until(lambda: "default" in own("get", "serviceaccounts", "--output", "name"))
    yield own
    cluster("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace(cluster: Kubectl) -> Iterator[Kubectl]:
    """A restricted namespace of the test's own."""
    with restricted(cluster) as namespace:
        yield namespace
