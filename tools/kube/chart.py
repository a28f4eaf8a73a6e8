"""The chart on a real API server: install, upgrade, test, roll back, and what it must refuse.

The modes `envoyGateway` and `istio` are installed too if `--crds FOLDER` names YAML files with their custom resources;
the API server then checks every field, and the rules in CEL that the published schemas do not have.
"""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.kube.command import CHART, ROOT, kubectl, make_namespace, run_helm
from tools.kube.server import Api, running_api
from tools.kube.status import playing

VALUES = ROOT / "tests" / "chart" / "values"
_TESTS = (
    "tests.enabled=true,tests.token.existingSecret=token,tests.url=http://crm/mcp,tests.allowed.tool=a,"
    "tests.denied.tool=d,tests.masked.tool=m,tests.masked.absent=x"
)
# Pods of these namespaces must fit Pod Security `restricted`; of a Deployment the API server only warns.
_NOT_RESTRICTED = "would violate PodSecurity"
# With a store that replicas share, the migration runs before the upgrade.
_SHARED = "replicas=2,config.store.url=postgresql://agen@store/agen"
_KEYED = f"{_SHARED},metadataKey.existingSecret=key,offWord=off-0123456789abcdef"
_NEED_CRDS = ("envoy-gateway", "istio")


@dataclass(frozen=True, slots=True)
class Step:
    """One run of helm: what it must end with, and what it must say."""

    words: tuple[str, ...]
    code: int = 0
    said: str = ""
    tests_pass: bool = True


def run_chart(crds: Path | None) -> int:
    """Run everything; count the steps that did not end as they must."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="agen-kube-") as name:
        folder = Path(name)
        with running_api(ROOT / "build" / "kube", folder, _free_ports()) as api:
            if crds is not None:
                kubectl(api, "apply", "--server-side", "-R", "-f", str(crds))
            for mode in _modes(with_crds=crds is not None):
                make_namespace(api, f"mcp-{mode}")
                failed += sum(_run(api, mode, step) for step in _steps(mode, f"mcp-{mode}", folder))
    return failed


def _modes(*, with_crds: bool) -> Iterator[str]:
    yield "deployment"
    yield "sidecar"
    for mode in _NEED_CRDS:
        if with_crds:
            yield mode
        else:
            print(f"{mode}: not run: `--crds FOLDER` names no custom resources")


def _steps(mode: str, namespace: str, folder: Path) -> list[Step]:
    values = [word for name in ("config", mode) for word in ("-f", str(VALUES / f"{name}.yaml"))]
    if mode == "sidecar":
        values += ["--set-file", f"sidecar.envoy.bootstrap={_bootstrap(folder)}"]
    place = ("guard", str(CHART), "-n", namespace, *values)
    waiting = ("--wait", "--timeout", "60s")
    return [
        Step(("install", *place, *waiting)),
        Step(("upgrade", *place, "--set", _TESTS, *waiting)),
        Step(("test", "guard", "-n", namespace, "--timeout", "60s"), said="Succeeded"),
        Step(("test", "guard", "-n", namespace, "--timeout", "60s"), code=1, said="Failed", tests_pass=False),
        Step(("upgrade", *place, "--set", "config.access.mapping=permissions"), 1, "cannot become `permissions`"),
        Step(("upgrade", *place, "--set", "replicas=2"), 1, "cannot share an SQLite store"),
        Step(("rollback", "guard", "1", "-n", namespace, *waiting)),
        Step(("upgrade", *place, "--set", "securityContext.allowPrivilegeEscalation=true"), said=_NOT_RESTRICTED),
        Step(("upgrade", *place, "--set", _SHARED if mode == "sidecar" else _KEYED, *waiting)),
        Step(("uninstall", "guard", "-n", namespace)),
        # The claim of the first installation is kept, and taken over.
        Step(("install", *place, *waiting)),
        Step(("uninstall", "guard", "-n", namespace)),
    ]


def _run(api: Api, mode: str, step: Step) -> int:
    namespace = f"mcp-{mode}"
    with playing(api, namespace, tests_pass=step.tests_pass):
        done = run_helm(api, *step.words)
    output = done.stdout + done.stderr
    is_restricted = (_NOT_RESTRICTED in output) == (step.said == _NOT_RESTRICTED)
    is_good = done.returncode == step.code and step.said in output and is_restricted
    print(f"{mode}: helm {step.words[0]}: {'as it must be' if is_good else 'WRONG'}")
    if not is_good:
        print(f"  code {done.returncode}, wanted {step.code} and `{step.said}`:\n{output}")
    return 0 if is_good else 1


def _bootstrap(folder: Path) -> Path:
    """Render Envoy's bootstrap for the values of the tests."""
    config = folder / "agen.yaml"
    lines = (VALUES / "config.yaml").read_text("utf-8").split("config:\n")[1].splitlines()
    config.write_text("\n".join(line.removeprefix("  ") for line in lines), "utf-8")
    sockets = ("--authz", "unix:///run/agen/check.sock", "--proc", "unix:///run/agen/process.sock")
    words = [sys.executable, "-m", "agen_authz", "envoy-config", "--config", str(config), *sockets]
    words += ["--listen", "0.0.0.0:10000", "--upstream", "crm=127.0.0.1:8080"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    file = folder / "envoy.yaml"
    file.write_text(done.stdout, "utf-8")
    return file


def _free_ports() -> tuple[int, int, int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports[0], ports[1], ports[2]
