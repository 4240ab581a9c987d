"""A control plane: etcd, API server, controllers and scheduler as they are, and kwok's nodes."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ops.servers.ports import LOOPBACK, free_ports
from ops.servers.server_process import running
from tests.cluster.kubectl import CommandError, Kubectl
from tests.deploy.chart import ROOT, TOOLS

KWOK: Final = Path(__file__).parent / "kwok"
# What nodes and pods do, of kwok's own stages.
STAGES: Final = ROOT / ".cache/cluster/stages"
USED: Final = (
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "pod/fast/pod-ready",
    "pod/fast/pod-complete",
    "pod/fast/pod-delete",
)
_KUBECONFIG: Final = """\
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "https://{address}", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: admin}}}}]
contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]
current-context: test
"""


@contextlib.asynccontextmanager
async def control_plane(folder: Path) -> AsyncIterator[Kubectl]:
    """Run a control plane without nodes, its data and logs in the folder."""
    etcd, peer, api, controllers, scheduler = free_ports(5)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(_KUBECONFIG.format(address=f"{LOOPBACK}:{api}"))
    (folder / "tokens.csv").write_text("admin,admin,admin,system:masters\n")
    _write_keys(folder)
    cluster = Kubectl(kubeconfig)
    commands = {
        "etcd": (
            "--data-dir=etcd",
            f"--listen-client-urls=http://{LOOPBACK}:{etcd}",
            f"--advertise-client-urls=http://{LOOPBACK}:{etcd}",
            f"--listen-peer-urls=http://{LOOPBACK}:{peer}",
            f"--initial-advertise-peer-urls=http://{LOOPBACK}:{peer}",
            f"--initial-cluster=default=http://{LOOPBACK}:{peer}",
            "--unsafe-no-fsync",
        ),
        "kube-apiserver": (
            f"--etcd-servers=http://{LOOPBACK}:{etcd}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={api}",
            "--cert-dir=certificates",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=key.pem",
            "--service-account-signing-key-file=key.pem",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=PodSecurity,NodeRestriction",
            "--endpoint-reconciler-type=none",
        ),
        "kube-controller-manager": (
            *_as_admin(controllers),
            "--service-account-private-key-file=key.pem",
            "--root-ca-file=certificates/apiserver.crt",
        ),
        "kube-scheduler": _as_admin(scheduler),
    }

    async def answers() -> bool:
        try:
            return cluster("get", "--raw", "/readyz") == "ok"
        except CommandError:
            return False

    async with contextlib.AsyncExitStack() as stack:
        for name, flags in commands.items():
            ready = _started if name == "etcd" else answers
            server = running(
                name, (str(TOOLS / name), *flags), folder, ready, working_folder=folder
            )
            await stack.enter_async_context(server)
        yield cluster


@contextlib.asynccontextmanager
async def pretended_nodes(cluster: Kubectl, folder: Path) -> AsyncIterator[None]:
    """Run kwok with its two nodes."""
    stages = [*(STAGES / f"{name}.yaml" for name in USED), KWOK / "stages.yaml"]
    command = (
        str(TOOLS / "kwok"),
        f"--kubeconfig={cluster.kubeconfig}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
        "--cidr=10.20.0.0/16",
        *(f"--config={stage}" for stage in stages),
    )
    cluster("apply", "--filename", KWOK / "nodes.yaml")

    async def answers() -> bool:
        nodes = cluster.objects("nodes", "kubernetes.io/os=linux")
        return all(_is_ready(node["status"].get("conditions", ())) for node in nodes)

    async with running("kwok", command, folder, answers, working_folder=folder):
        yield


def _is_ready(conditions: list[dict[str, str]]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _as_admin(port: int) -> tuple[str, ...]:
    kubeconfigs = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return (
        *(f"--{name}=kubeconfig" for name in kubeconfigs),
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        "--leader-elect=false",
    )


async def _started() -> bool:
    """Return true: the API server waits for etcd by itself."""
    return True


def _write_keys(folder: Path) -> None:
    """Write the key that signs tokens of service accounts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
