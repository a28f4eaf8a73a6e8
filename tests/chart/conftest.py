"""What the tests of the chart share: one run of helm, and the Envoy of a sidecar."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agen_authz.cli.main import app
from tests.chart.helm import CHART, NAMESPACE, RELEASE, VALUES, Ran, list_values, run_helm

SOCKETS = ("--authz", "unix:///run/agen/check.sock", "--proc", "unix:///run/agen/process.sock")
KEY = b"k" * 32


def print_envoy(config: str, folder: Path, *words: str) -> str:
    """Print an Envoy configuration as `agen-authz envoy-config` does."""
    file = folder / "agen.yaml"
    file.write_text(config, "utf-8")
    told = CliRunner().invoke(app, ["envoy-config", "--config", str(file), *words])
    assert told.exit_code == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what helm writes a folder."""
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="session")
def bootstrap(state: Path) -> Path:
    """Render Envoy's bootstrap, as docs/kubernetes.md says; with the key of metadata, so that any values go with it."""
    folder = state / "envoy"
    folder.mkdir()
    (folder / "metadata.key").write_bytes(KEY)
    config = (VALUES / "config.yaml").read_text("utf-8")
    lines = [line.removeprefix("  ") for line in config.split("config:\n")[1].splitlines()]
    at = lines.index("server:")
    lines.insert(at + 1, f"  metadata_key_file: {folder}/metadata.key")
    words = (*SOCKETS, "--listen", "0.0.0.0:10000", "--upstream", "crm=127.0.0.1:8080")
    file = folder / "envoy.yaml"
    file.write_text(print_envoy("\n".join(lines), folder, *words), "utf-8")
    return file


@pytest.fixture(scope="session")
def render(state: Path, bootstrap: Path) -> Callable[..., Ran]:
    """Render the chart for one mode, with more files of values and options."""
    known: dict[tuple[object, ...], Ran] = {}

    def rendered(mode: str, more: Sequence[str] = (), *words: str) -> Ran:
        key = (mode, tuple(more), words)
        if key not in known:
            values = list_values(mode, more, bootstrap)
            known[key] = run_helm(["template", RELEASE, str(CHART), "-n", NAMESPACE, *values, *words], state)
        return known[key]

    return rendered
