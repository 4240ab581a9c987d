"""A stand-in kubelet: runs the pods of one node as podman's containers, one container a pod.

It does what a kubelet does of what the chart asks for: Secrets and empty folders as volumes, the
environment, three HTTP probes, restarts that wait ever longer, preStop's sleep, SIGTERM, grace.
"""

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.cluster.pods.podman import Container

Object = dict[str, Any]
POLL_SECONDS: Final = 0.3
HEARTBEAT_SECONDS: Final = 10.0
# The first restart is at once, the next after 10 s, 20 s and so on.
BACKOFF_SECONDS: Final = 10.0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _ask(
    api: aiohttp.ClientSession, method: str, path: str, body: Object | None = None
) -> Object:
    """Return the answer, which is a Status when the object is gone; a PATCH merges."""
    headers = {"Content-Type": f"application/{'merge-patch+' * (method == 'PATCH')}json"}
    async with api.request(method, path, json=body, headers=headers) as response:
        answer: Object = await response.json()
        return answer


class Pod:
    """One pod, from its start to its removal."""

    def __init__(self, api: aiohttp.ClientSession, pod: Object, container: Container) -> None:
        meta = pod["metadata"]
        self.container = container
        self._api = api
        self._path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        self._spec = pod["spec"]
        self._grace: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._restarts = 0
        self._ready = False

    def stop(self, grace: int) -> None:
        """End it within so many seconds."""
        if not self._grace.done():
            self._grace.set_result(grace)

    async def run(self) -> None:
        """Run, restart and stop it; then remove it from the API."""
        while not self._grace.done() and not await self._run_once():
            delay = BACKOFF_SECONDS * 2 ** (self._restarts - 1) if self._restarts else 0
            await asyncio.wait({self._grace}, timeout=delay)
            self._restarts += 1
        await self._grace
        await self.container.podman("rm", "--force")
        await _ask(self._api, "DELETE", self._path, {"gracePeriodSeconds": 0})

    async def _run_once(self) -> bool:
        """Run its container until it ends; return whether that was for good."""
        process = await self.container.run()
        await self._report("Running", {"running": {}})
        ended = asyncio.create_task(process.wait())
        probing = asyncio.create_task(self._probe(process))
        await asyncio.wait({ended, self._grace}, return_when=asyncio.FIRST_COMPLETED)
        if self._grace.done():
            await self._terminate(process, self._grace.result())
        code = await ended
        probing.cancel()
        self._ready = False
        policy = self._spec["restartPolicy"]
        if self._grace.done() or policy == "Never" or (policy == "OnFailure" and not code):
            state = {"terminated": {"exitCode": code, "finishedAt": _now()}}
            await self._report("Failed" if code else "Succeeded", state)
            return True
        await self._report("Running", {"waiting": {"reason": "CrashLoopBackOff"}})
        return False

    async def _terminate(self, process: Process, grace: int) -> None:
        """Let preStop pass, send SIGTERM, and SIGKILL when the grace is over."""
        hook = self.container.spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        pause = min(hook.get("seconds", 0), grace)
        for seconds, signal in ((pause, "TERM"), (grace - pause, "KILL")):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
                return
            await self.container.podman("kill", "--signal", signal)

    async def _probe(self, process: Process) -> None:
        """Probe it: startup until it succeeds, then readiness and liveness side by side."""
        startup, readiness, liveness = (
            self.container.spec.get(f"{name}Probe") for name in ("startup", "readiness", "liveness")
        )
        if not startup or await self._succeeds(startup):
            ready = asyncio.create_task(self._watch_readiness(readiness))
            while not liveness or await self._succeeds(liveness):
                await asyncio.sleep(liveness["periodSeconds"] if liveness else HEARTBEAT_SECONDS)
            ready.cancel()
        await self._terminate(process, self._spec["terminationGracePeriodSeconds"])

    async def _watch_readiness(self, probe: Mapping[str, Any] | None) -> None:
        while not self._grace.done():
            ready = probe is None or await self._answers(probe)
            if ready != self._ready:
                self._ready = ready
                await self._report("Running", {"running": {}})
            await asyncio.sleep(probe["periodSeconds"] if probe else HEARTBEAT_SECONDS)

    async def _succeeds(self, probe: Mapping[str, Any]) -> bool:
        for _ in range(probe["failureThreshold"]):
            if await self._answers(probe):
                return True
            await asyncio.sleep(probe["periodSeconds"])
        return False

    async def _answers(self, probe: Mapping[str, Any]) -> bool:
        get, spec = probe["httpGet"], self.container.spec
        ports = {port["name"]: port["containerPort"] for port in spec.get("ports", ())}
        url = f"http://{self.container.ip}:{ports.get(get['port'], get['port'])}{get['path']}"
        timeout = aiohttp.ClientTimeout(probe["timeoutSeconds"])
        try:
            async with aiohttp.request("GET", url, timeout=timeout) as response:
                return response.ok
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _report(self, phase: str, state: Object) -> None:
        spec, ip = self.container.spec, self.container.ip
        container = {"name": spec["name"], "image": spec["image"], "imageID": "", "state": state}
        container |= {"ready": self._ready, "restartCount": self._restarts}
        ready = {"status": str(self._ready), "lastTransitionTime": _now()}
        status = {
            "phase": phase,
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "conditions": [{"type": name, **ready} for name in ("ContainersReady", "Ready")],
            "containerStatuses": [container],
        }
        await _ask(self._api, "PATCH", f"{self._path}/status", {"status": status})


@dataclass
class Kubelet:
    """The node and its pods. `subnet`: what the addresses of podman's `network` begin with."""

    api: aiohttp.ClientSession
    folder: Path
    network: str
    subnet: str
    pods: dict[str, Pod] = field(default_factory=dict)

    async def run(self, node: str) -> None:
        """Register the node, then run what is bound to it, until cancelled."""
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}
        await _ask(self.api, "POST", "/api/v1/nodes", body)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(node))
            while True:
                await self._look(node, tasks)
                await asyncio.sleep(POLL_SECONDS)

    async def _beat(self, node: str) -> None:
        room = {"cpu": "16", "memory": "32Gi", "pods": "110"}
        while True:
            ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": _now()}
            status = {"conditions": [ready], "capacity": room, "allocatable": room}
            await _ask(self.api, "PATCH", f"/api/v1/nodes/{node}/status", {"status": status})
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _look(self, node: str, tasks: asyncio.TaskGroup) -> None:
        found = await _ask(self.api, "GET", f"/api/v1/pods?fieldSelector=spec.nodeName={node}")
        for pod in found["items"]:
            meta = pod["metadata"]
            if meta["uid"] not in self.pods:
                self.pods[meta["uid"]] = started = await self._start(pod)
                tasks.create_task(started.run())
            if "deletionTimestamp" in meta:
                self.pods[meta["uid"]].stop(meta["deletionGracePeriodSeconds"])

    async def _start(self, pod: Object) -> Pod:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        secrets = {}
        for volume in pod["spec"].get("volumes", ()):
            if secret := volume.get("secret", {}).get("secretName"):
                found = await _ask(
                    self.api, "GET", f"/api/v1/namespaces/{namespace}/secrets/{secret}"
                )
                secrets[secret] = found["data"]
        folder = self.folder / namespace / name
        folder.mkdir(parents=True)
        full, ip = f"{namespace}_{name}", f"{self.subnet}.{10 + len(self.pods)}"
        container = Container(full, pod["spec"], secrets, folder, self.network, ip)
        return Pod(self.api, pod, container)


@contextlib.asynccontextmanager
async def running_node(
    url: str, token: str, folder: Path, network: str, subnet: str
) -> AsyncIterator[Kubelet]:
    """Run a node called `real` meanwhile; then remove its containers."""
    headers, connector = {"Authorization": f"Bearer {token}"}, aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as api:
        kubelet = Kubelet(api, folder, network, subnet)
        running = asyncio.create_task(kubelet.run("real"))
        try:
            yield kubelet
        finally:
            running.cancel()
            await asyncio.wait({running})
            for pod in kubelet.pods.values():
                await pod.container.podman("rm", "--force", "--time=0")
