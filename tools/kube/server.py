"""etcd and kube-apiserver on loopback, in a temporary folder, and what is asked of them."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_START_S, _POLL_S = 120.0, 0.2
_TOKEN = "kube-test"  # noqa: S105 - of an API server that ends with the test
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Api:
    """A running API server: its kubeconfig, and a client that may do everything."""

    kubeconfig: Path
    client: httpx.Client

    def list_items(self, path: str) -> list[dict[str, Any]]:
        """List objects."""
        answer = self.client.get(path)
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def create(self, path: str, manifest: dict[str, Any]) -> None:
        """Create an object; one that is there stays."""
        answer = self.client.post(path, json=manifest)
        if answer.status_code != httpx.codes.CONFLICT:
            answer.raise_for_status()

    def set_status(self, path: str, status: dict[str, Any]) -> None:
        """Write the status of an object, as its controller does."""
        headers = {"content-type": "application/merge-patch+json"}
        self.client.patch(f"{path}/status", content=json.dumps({"status": status}), headers=headers)


@contextmanager
def running_api(binaries: Path, folder: Path, ports: tuple[int, int, int]) -> Iterator[Api]:
    """Run an API server; ready on entry.

    Args:
        ports: of the API server, and two of etcd.
    """
    server, store, peers = ports
    (folder / "tokens.csv").write_text(f"{_TOKEN},admin,1,system:masters\n", "utf-8")
    _write_keys(folder)
    client = httpx.Client(
        base_url=f"https://{_HOST}:{server}",
        headers={"authorization": f"Bearer {_TOKEN}"},
        verify=False,  # noqa: S501 - the server makes its certificate itself, on loopback
        trust_env=False,
        timeout=30.0,
    )
    with ExitStack() as stack:
        stack.enter_context(client)
        stack.enter_context(_running(_etcd(binaries, folder, store, peers), folder / "etcd.log"))
        process = stack.enter_context(_running(_api_server(binaries, folder, server, store), folder / "api.log"))
        _await_ready(client, process, folder / "api.log")
        yield Api(_write_kubeconfig(folder, server), client)


def _etcd(binaries: Path, folder: Path, store: int, peers: int) -> list[str]:
    own, other = f"http://{_HOST}:{store}", f"http://{_HOST}:{peers}"
    named = ["--listen-client-urls", own, "--advertise-client-urls", own, "--listen-peer-urls", other]
    return [str(binaries / "etcd"), "--data-dir", str(folder / "etcd"), *named, "--unsafe-no-fsync"]


def _api_server(binaries: Path, folder: Path, server: int, store: int) -> list[str]:
    options = {
        "etcd-servers": f"http://{_HOST}:{store}",
        "secure-port": str(server),
        "bind-address": _HOST,
        "advertise-address": _HOST,
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.96.0.0/16",
        "cert-dir": str(folder / "certificates"),
        "token-auth-file": str(folder / "tokens.csv"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(folder / "accounts.pub"),
        "service-account-signing-key-file": str(folder / "accounts.key"),
        "authorization-mode": "RBAC",
    }
    return [str(binaries / "kube-apiserver"), *(f"--{name}={value}" for name, value in options.items())]


def _write_keys(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    (folder / "accounts.key").write_bytes(private)
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "accounts.pub").write_bytes(public)


@contextmanager
def _running(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as written:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=written, stderr=written)
        try:
            yield process
        finally:
            # The API server waits a minute for its watchers if it is asked politely; nothing here is worth it.
            process.kill()
            process.wait()


def _await_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not _is_ready(client):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
            raise SystemExit(f"kube-test: the API server is not ready:\n{tail}")
        time.sleep(_POLL_S)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _write_kubeconfig(folder: Path, server: int) -> Path:
    cluster = {"server": f"https://{_HOST}:{server}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "t", "cluster": cluster}],
        "users": [{"name": "t", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}],
        "current-context": "t",
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), "utf-8")
    return file
