"""The stand-in does what a kubelet does of what the chart asks for."""

import asyncio
import copy
import time
from typing import Any

import pytest
import yaml

from tests.cluster.kubectl import Kubectl
from tests.cluster.pods import kubelet as kubelet_module
from tests.cluster.pods.engine import TINY, podman
from tests.cluster.pods.kubelet import Kubelet

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  restartPolicy: Always
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 30
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  volumes:
    - {name: tmp, emptyDir: {}}
  containers:
    - name: main
      command: [/bin/busybox, sh, -c]
      ports: [{name: http, containerPort: 8080}]
      volumeMounts: [{name: tmp, mountPath: /tmp}]
      resources: {limits: {memory: 64Mi}}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
""")
# A server whose pages are files, so that a test can remove one; SIGTERM ends it in order.
SERVER = """
mkdir -p /tmp/www; echo > /tmp/www/live; echo > /tmp/www/ready
trap 'echo stopped; exit 0' TERM
httpd -f -p 8080 -h /tmp/www & while true; do wait; done
"""


def probe(page: str, **settings: int) -> dict[str, Any]:
    return {"httpGet": {"path": page, "port": "http"}, "periodSeconds": 1, **settings}


async def until(condition: Any, seconds: float = 300) -> None:
    """Wait beside the kubelet, which runs on this loop."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.2)


class Subject:
    """The one pod of a test."""

    def __init__(self, namespace: Kubectl, node: Kubelet) -> None:
        self._namespace, self._node = namespace, node

    async def start(self, script: str, *, pod: Any = (), **container: Any) -> None:
        manifest = copy.deepcopy(POD)
        manifest["spec"] |= dict(pod)
        manifest["spec"]["containers"][0] |= {"image": TINY, "args": [script], **container}
        given = yaml.safe_dump(manifest)
        await asyncio.to_thread(self._namespace, "create", "--filename", "-", given=given)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._namespace.get("pod", "pod")["status"]
        return found

    def ready(self) -> bool:
        conditions = self.status.get("conditions", ())
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def restarts(self) -> int:
        return sum(c["restartCount"] for c in self.status.get("containerStatuses", ()))

    def phase(self) -> str:
        phase: str = self.status["phase"]
        return phase

    def remove_page(self, page: str) -> None:
        name = f"{self._namespace.namespace}_pod"
        podman("exec", name, "/bin/busybox", "rm", f"/tmp/www/{page}")

    @property
    def log(self) -> str:
        return (self._node.folder / self._namespace.namespace / "pod/log").read_text()

    async def delete(self, *options: str) -> float:
        """Delete it; return how many seconds that took."""
        begin = time.monotonic()
        await asyncio.to_thread(self._namespace, "delete", "pod", "pod", *options)
        return time.monotonic() - begin


@pytest.fixture
def subject(namespace: Kubectl, node: Kubelet) -> Subject:
    return Subject(namespace, node)


async def test_secrets_settings_and_restrictions_reach_the_container(
    subject: Subject, namespace: Kubectl
) -> None:
    namespace("create", "secret", "generic", "own", "--from-literal=KEY=value")
    await subject.start(
        """
        [ "$(cat /run/own/KEY)" = value ] || exit 3
        [ "$GREETING" = "good day" ] || exit 4
        [ "$(id -u)" = 10001 ] || exit 5
        echo > /tmp/file || exit 6
        ! echo > /file || exit 7
        grep -q 'CapEff:.*0000000000000000' /proc/self/status || exit 8
        """,
        pod={
            "restartPolicy": "Never",
            "volumes": [
                {"name": "tmp", "emptyDir": {}},
                {"name": "own", "secret": {"secretName": "own", "defaultMode": 0o440}},
            ],
        },
        env=[{"name": "GREETING", "value": "good day"}],
        volumeMounts=[
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "own", "mountPath": "/run/own", "readOnly": True},
        ],
    )
    await until(lambda: subject.phase() in {"Succeeded", "Failed"})
    assert subject.phase() == "Succeeded", subject.status


async def test_readiness_follows_its_probe_without_restarts(subject: Subject) -> None:
    await subject.start(SERVER, readinessProbe=probe("/ready"), livenessProbe=probe("/live"))
    await until(subject.ready)
    subject.remove_page("ready")
    await until(lambda: not subject.ready())
    assert subject.restarts() == 0


async def test_what_is_not_alive_is_stopped_and_started_again(subject: Subject) -> None:
    await subject.start(SERVER, livenessProbe=probe("/live", failureThreshold=2))
    await until(subject.ready)
    subject.remove_page("live")
    await until(lambda: subject.restarts() == 1)
    await until(subject.ready)
    assert "stopped" in subject.log


async def test_what_never_starts_is_started_again(subject: Subject) -> None:
    await subject.start(SERVER, startupProbe=probe("/missing", failureThreshold=2))
    await until(lambda: subject.restarts() == 1)
    assert not subject.ready()


async def test_restarts_wait_ever_longer(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubelet_module, "BACKOFF_SECONDS", 0.5)
    begin = time.monotonic()
    await subject.start("exit 3")
    await until(lambda: subject.restarts() == 4)
    # At once, then after 0.5, 1 and 2 seconds.
    assert time.monotonic() - begin > 3.5


async def test_a_stop_sleeps_first_then_asks(subject: Subject) -> None:
    await subject.start(SERVER, lifecycle={"preStop": {"sleep": {"seconds": 2}}})
    await until(subject.ready)
    assert 2 < await subject.delete() < 20
    assert "stopped" in subject.log


async def test_what_does_not_stop_is_killed_when_its_grace_is_over(subject: Subject) -> None:
    await subject.start("trap '' TERM; while true; do sleep 1; done")
    await until(subject.ready)
    assert 3 < await subject.delete("--grace-period=3") < 20


async def test_a_killed_container_is_started_again(subject: Subject, namespace: Kubectl) -> None:
    await subject.start(SERVER, readinessProbe=probe("/ready"))
    await until(subject.ready)
    podman("kill", "--signal", "KILL", f"{namespace.namespace}_pod")
    await until(lambda: subject.restarts() == 1 and subject.ready())
