"""One pod's container as podman runs it: what of the pod's spec becomes which argument."""

import asyncio
import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Container:
    """The one container of a pod. `secrets`: the data of each Secret that it mounts."""

    name: str
    pod: Spec
    secrets: Mapping[str, Mapping[str, str]]
    folder: Path
    network: str
    ip: str

    @property
    def spec(self) -> Spec:
        """What the pod says of the container."""
        spec: Spec = self.pod["containers"][0]
        return spec

    async def run(self) -> asyncio.subprocess.Process:
        """Start it; the process ends when it ends, with its exit code. Its output is in a file."""
        self._write_volumes()
        arguments = ("podman", *self.arguments())
        with (self.folder / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(*arguments, stdout=log, stderr=log)

    async def podman(self, *command: str) -> None:
        """Have podman do something with it, which may have ended."""
        quiet = asyncio.subprocess.DEVNULL
        arguments = ("podman", *command, self.name)
        await (await asyncio.create_subprocess_exec(*arguments, stdout=quiet, stderr=quiet)).wait()

    def arguments(self) -> Iterator[str]:
        """Return the arguments of podman."""
        spec, context = self.spec, self.pod.get("securityContext", {})
        own, user = spec.get("securityContext", {}), context.get("runAsUser", 0)
        yield from ("run", "--replace", f"--name={self.name}", "--pull=never")
        yield from (f"--network={self.network}", f"--ip={self.ip}", "--no-healthcheck")
        yield from (f"--user={user}:{context.get('runAsGroup', 0)}", "--read-only-tmpfs=false")
        yield f"--read-only={own.get('readOnlyRootFilesystem', False)}"
        yield f"--group-add={context.get('fsGroup', 0)}"
        if not own.get("allowPrivilegeEscalation", True):
            yield "--security-opt=no-new-privileges"
        yield from (f"--cap-drop={name}" for name in own.get("capabilities", {}).get("drop", ()))
        if memory := spec.get("resources", {}).get("limits", {}).get("memory"):
            yield f"--memory={memory.removesuffix('i').lower()}"
        yield from (f"--env={v['name']}={v.get('value', '')}" for v in spec.get("env", ()))
        for mount in spec.get("volumeMounts", ()):
            mode = "ro" if mount.get("readOnly") else "rw"
            yield f"--volume={self.folder / mount['name']}:{mount['mountPath']}:{mode}"
        # Kubernetes' command takes the place of the image's entry point, its args of CMD.
        command = spec.get("command", ())
        yield from (f"--entrypoint={entry}" for entry in command[:1])
        yield from (spec["image"], *command[1:], *spec.get("args", ()))

    def _write_volumes(self) -> None:
        """Write Secrets and folders; their group is the pod's."""
        group = self.pod.get("securityContext", {}).get("fsGroup", 0)
        for volume in self.pod.get("volumes", ()):
            folder, secret = self.folder / volume["name"], volume.get("secret")
            folder.mkdir(exist_ok=True)
            os.chown(folder, 0, group)
            folder.chmod(0o2775)
            data = self.secrets[secret["secretName"]] if secret else {}
            for key in [item["key"] for item in (secret or {}).get("items", ())] or data:
                (folder / key).write_bytes(base64.b64decode(data[key]))
                os.chown(folder / key, 0, group)
                (folder / key).chmod(secret.get("defaultMode", 0o644))
