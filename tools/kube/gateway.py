"""The chart with the real Envoy Gateway, a process that reads the API server and starts an Envoy: run by `alone`.

Envoy Gateway, which runs no pods here, resolves Services by their EndpointSlices and writes what became of each policy
into its status. Then the calls of `helm test` are made through the Envoy that it configured, over an HTTPS listener.
"""

import json
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from agen_authz.envoy.binary import ask_version, find_binary
from agen_authz.envoy.model import Unusable
from tests.certificates import issue
from tests.stage.port import HOST
from tests.stage.process import end, running
from tests.stage.world import tool_call
from tools.kube.command import ROOT, apply, kubectl, make_namespace, run
from tools.kube.dump import Json, Wanted, fetch_dump, find_listener, list_problems
from tools.kube.guarded import (
    AUTHORITY,
    NAME,
    NAMESPACE,
    SERVER,
    SERVER_PORT,
    Outside,
    expose,
    install,
    make_calls,
    running_outside,
    running_sidecar,
)
from tools.kube.judge import await_none, list_findings, list_rejected
from tools.kube.server import Api, running_api

_CLASS = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "GatewayClass",
    "metadata": {"name": "eg"},
    "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
}
_LISTENER = f"{NAMESPACE}/{NAME}/https"
# Where proxies are processes, Envoy Gateway lets them listen on the ports of the Gateway.
_FRONT = f"https://{HOST}:443"
_LATER = "/later"
_POLICIES = "securitypolicy,envoyextensionpolicy,envoypatchpolicy,clienttrafficpolicy,backendtrafficpolicy,httproute"
_GOOD_IF_FALSE = ("Conflicted",)
# No load balancer is here that gives the Gateway an address.
_NO_ADDRESS = "AddressNotAssigned"
# docs/kubernetes.md says that these are left: the chart sets up no TLS between the proxies and agen-authz.
_LEFT = ("authz-plaintext", "proc-plaintext")
_CONFIG = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "EnvoyGateway",
    "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    "extensionApis": {"enableEnvoyPatchPolicy": True},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs."""

    api: Api
    folder: Path
    outside: Outside


def main() -> int:
    """Run everything; 1 if something was not as it must be."""
    crds = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="agen-kube-") as name:
        folder = Path(name)
        with (
            running_api(ROOT / "build" / "kube", folder, (6443, 2379, 2380)) as api,
            running_outside("/crm/mcp", SERVER) as outside,
        ):
            kubectl(api, "apply", "--server-side", "-R", "-f", str(crds / "gateway"))
            stage = Stage(api, folder, outside)
            _install(stage)
            with running_sidecar(api, folder) as sidecar, _running_gateway(stage):
                problems = _check(stage)
                end(sidecar)
                problems += _check_without(stage)
    print("\n".join(f"envoy-gateway: WRONG: {each}" for each in problems) or "envoy-gateway: passed")
    return 1 if problems else 0


def _install(stage: Stage) -> None:
    """Install the chart, and what a cluster with a gateway and an MCP server has."""
    api = stage.api
    for name in (NAMESPACE, "envoy-gateway-system"):
        make_namespace(api, name)
    apply(api, _CLASS, _certificate(stage.folder))
    expose(api, "crm", SERVER, {"http": SERVER_PORT})
    listener = {"name": "https", "protocol": "HTTPS", "port": 443, "tlsSecret": "mcp-tls"}
    upstreams = {"crm": {"name": "crm", "port": SERVER_PORT}}
    more = {"envoyGateway": {"gateway": {"listener": listener}, "upstreams": upstreams}}
    install(api, stage.folder, stage.outside.values("envoyGateway", **more))
    # Proxies are processes here, of the Envoy that is installed: nothing else of the chart's EnvoyProxy is changed.
    host = {"spec": {"provider": {"type": "Host", "host": {"envoyVersion": _envoy()[1]}}}}
    kubectl(api, "-n", NAMESPACE, "patch", "envoyproxy", NAME, "--type=merge", "-p", yaml.safe_dump(host))


def _certificate(folder: Path) -> Json:
    """Make the certificate of the listener, and the Secret that has it."""
    authority = issue("kube-test")
    made = issue(AUTHORITY, authority)
    (folder / "ca.crt").write_bytes(authority.pem)
    strings = {"tls.crt": made.pem.decode(), "tls.key": made.key_pem.decode()}
    meta = {"name": "mcp-tls", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": meta, "stringData": strings}


def _envoy() -> tuple[Path, str]:
    """Find Envoy and its version."""
    binary = find_binary()
    version = binary if isinstance(binary, Unusable) else ask_version(binary)
    if isinstance(binary, Unusable) or isinstance(version, Unusable):
        raise SystemExit(f"kube-test: {version}")
    return binary, f"{version.major}.{version.minor}.{version.patch}"


@contextmanager
def _running_gateway(stage: Stage) -> Iterator[None]:
    """Run Envoy Gateway; ready as soon as it answers that it is."""
    binary = ROOT / "build" / "kube-gateway" / "envoy-gateway"
    state = stage.folder / "gateway"
    homes = {"configHome": "config", "dataHome": "data", "stateHome": "state", "runtimeDir": "run"}
    infrastructure = {"type": "Host", "host": {key: str(state / name) for key, name in homes.items()}}
    resource = {"type": "Kubernetes", "kubernetes": {"leaderElection": {"disable": True}}}
    provider = {"type": "Custom", "custom": {"resource": resource, "infrastructure": infrastructure}}
    _place_envoy(state / "data")
    file = state / "gateway.yaml"
    file.write_text(yaml.safe_dump(_CONFIG | {"provider": provider}), "utf-8")
    made = run([str(binary), "certgen", "--local", "--config-home", str(state / "config")])
    if made.returncode:
        raise SystemExit(f"kube-test: envoy-gateway certgen: {made.stderr}")
    for each in (state / "config" / "certs" / "envoy-gateway").iterdir():
        Path("/certs", each.name).write_bytes(each.read_bytes())
    environment = {"PATH": os.defpath, "HOME": str(state), "KUBECONFIG": str(stage.api.kubeconfig)}
    command = [str(binary), "server", "--config-path", str(file)]
    with running(command, state / "gateway.log", lambda: _admin(stage) is not None, env=environment):
        yield


def _place_envoy(data: Path) -> None:
    """Put Envoy where Envoy Gateway keeps the ones that it fetched, so that it fetches none."""
    binary, version = _envoy()
    folder = data / "envoy-versions" / version / "bin"
    folder.mkdir(parents=True)
    shutil.copy(binary, folder / "envoy")


def _admin(stage: Stage) -> str | None:
    """Find the admin interface of the Envoy that Envoy Gateway started; None before it is there."""
    found = [each for each in (stage.folder / "gateway" / "run").rglob("admin-address*") if each.stat().st_size]
    return found[0].read_text("utf-8").strip() if found else None


def _check(stage: Stage) -> list[str]:
    """List what is wrong with the statuses, the configuration of Envoy, and the calls."""
    problems = await_none(lambda: _list_refused(stage.api))
    admin = _admin(stage) or ""
    dump, wanted = fetch_dump(admin), _wanted(stage.api)
    problems += list_rejected(admin)
    problems += list_problems(dump, find_listener(dump, _LISTENER), wanted)
    problems += list_findings(stage.api, stage.folder, dump, _LEFT)
    problems += make_calls(stage.outside, stage.folder, _FRONT)
    return problems + _check_later(stage, admin, wanted)


def _wanted(api: Api) -> Wanted:
    """Read in the chart's patches what ext_proc must be, so that nothing but the chart says it."""
    (policy,) = _get(api, "envoypatchpolicy")
    values = [each["operation"].get("value") for each in policy["spec"]["jsonPatches"]]
    (process,) = (each for each in values if isinstance(each, dict) and "extension_config" in each)
    return Wanted(f"securitypolicy/{NAMESPACE}/{NAME}/extauth/0", process, request_bytes=1 << 20, by_route=True)


def _check_later(stage: Stage, admin: str, wanted: Wanted) -> list[str]:
    """List what is wrong with a route that is added later, which no policy names: the whole listener is guarded."""
    match = {"path": {"type": "PathPrefix", "value": _LATER}}
    rule = {"matches": [match], "backendRefs": [{"name": "crm", "port": SERVER_PORT}]}
    spec = {"parentRefs": [{"name": NAME, "sectionName": "https"}], "hostnames": [AUTHORITY], "rules": [rule]}
    meta = {"name": "later", "namespace": NAMESPACE}
    version = "gateway.networking.k8s.io/v1"
    apply(stage.api, {"apiVersion": version, "kind": "HTTPRoute", "metadata": meta, "spec": spec})
    problems = await_none(lambda: _list_missing(fetch_dump(admin)))
    dump = fetch_dump(admin)
    problems += list_problems(dump, find_listener(dump, _LISTENER), wanted)
    stage.outside.received(SERVER)
    answered = _ask(stage, _LATER)
    # Envoy's own 404 has no body.
    if answered.status_code != httpx.codes.NOT_FOUND or not answered.content:
        problems.append(f"a path of no resource: {answered.status_code} {answered.text}")
    return problems + (["a path of no resource: the server was reached"] if stage.outside.received(SERVER) else [])


def _list_missing(dump: Json) -> list[str]:
    return [] if _LATER in json.dumps(dump) else [f"the route `{_LATER}` is not there"]


def _check_without(stage: Stage) -> list[str]:
    """List what is wrong if agen-authz is not there: nothing may reach the server."""
    stage.outside.received(SERVER)
    answered = _ask(stage, "/crm/mcp").status_code
    problems = [] if answered == httpx.codes.SERVICE_UNAVAILABLE else [f"without agen-authz: {answered}"]
    return problems + (["without agen-authz: the server was reached"] if stage.outside.received(SERVER) else [])


def _ask(stage: Stage, path: str) -> httpx.Response:
    trusted = ssl.create_default_context(cafile=str(stage.folder / "ca.crt"))
    headers = {"host": AUTHORITY, "authorization": f"Bearer {stage.outside.mint()}"}
    with httpx.Client(verify=trusted, trust_env=False, timeout=30.0) as web:
        return web.post(f"{_FRONT}{path}", headers=headers, json=tool_call())


def _list_refused(api: Api) -> list[str]:
    """List conditions that are not what they must be, and objects that have none."""
    problems: list[str] = []
    for item in _get(api, f"{_POLICIES},gateway"):
        name = f"{item['kind']} {item['metadata']['name']}"
        conditions = list(_conditions(item.get("status", {})))
        problems += [] if conditions else [f"{name} has no status"]
        for each in (each for each in conditions if each["reason"] != _NO_ADDRESS):
            if each["status"] != ("False" if each["type"] in _GOOD_IF_FALSE else "True"):
                problems.append(f"{name}: {each['type']} {each['status']}: {each['reason']}: {each['message']}")
    return problems


def _conditions(status: object) -> Iterator[Json]:
    if isinstance(status, dict):
        yield from status.get("conditions", [])
        for key, each in status.items():
            yield from _conditions(each) if key != "conditions" else ()
    elif isinstance(status, list):
        for each in status:
            yield from _conditions(each)


def _get(api: Api, kinds: str) -> list[Json]:
    items: list[Json] = json.loads(kubectl(api, "-n", NAMESPACE, "get", kinds, "-o", "json"))["items"]
    return items


if __name__ == "__main__":
    sys.exit(main())
