"""As much of an API server as `lookup` needs: one ConfigMap in one namespace, over HTTP on loopback."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.stage.port import HOST

# The kinds that the chart has in its simplest mode, by group.
_KINDS = {
    "/api/v1": ("ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount"),
    "/apis/apps/v1": ("Deployment",),
    "/apis/networking.k8s.io/v1": ("NetworkPolicy",),
    "/apis/policy/v1": ("PodDisruptionBudget",),
}
_ABSENT = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def _answers(name: str, namespace: str, content: Mapping[str, str]) -> dict[str, object]:
    known = {place: _list_kinds(place.partition("/")[2].partition("/")[2], kinds) for place, kinds in _KINDS.items()}
    groups = [_describe_group(*place.split("/")[2:]) for place in _KINDS if place.startswith("/apis/")]
    owner = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": owner}
    config_map = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}
    return {
        **known,
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        f"/api/v1/namespaces/{namespace}/configmaps/{name}": {**config_map, "data": dict(content)},
    }


def _list_kinds(group_version: str, kinds: tuple[str, ...]) -> dict[str, object]:
    resources = [
        {
            "name": f"{kind.lower().removesuffix('y')}ies" if kind.endswith("y") else f"{kind.lower()}s",
            "singularName": kind.lower(),
            "namespaced": True,
            "kind": kind,
            "verbs": ["get"],
        }
        for kind in kinds
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": resources}


def _describe_group(group: str, version: str) -> dict[str, object]:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [served], "preferredVersion": served}


@contextmanager
def serving(name: str, namespace: str, content: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """Serve the ConfigMap; gives the kubeconfig that leads to it."""
    answers = _answers(name, namespace, content)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            body = json.dumps(_ABSENT if answer is None else answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the output of tests free of requests."""

    server = ThreadingHTTPServer((HOST, 0), Answering)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _write_kubeconfig(folder, f"http://{HOST}:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _write_kubeconfig(folder: Path, url: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "t", "cluster": {"server": url}}],
        "users": [{"name": "t", "user": {}}],
        "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}],
        "current-context": "t",
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), "utf-8")
    return file
