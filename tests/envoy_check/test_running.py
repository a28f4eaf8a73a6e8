"""What a running Envoy says of its own configuration, ours, and of its version."""

import http.client
from collections.abc import Iterator

import pytest

from agen_authz.envoy.check import check_file
from agen_authz.envoy.model import EnvoyRoute, Gateway, TcpAddress, UnixAddress, Upstream
from agen_authz.envoy.run import run_envoy
from tests.stage.envoy import launch_envoy
from tests.stage.port import HOST, reserve_port

pytestmark = pytest.mark.envoy

WORD = "off-0123456789abcdef"


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, admin = tmp_path_factory.mktemp("dump"), TcpAddress(HOST, reserve_port())
    upstream = Upstream(TcpAddress(HOST, reserve_port()))
    gateway = Gateway(
        listener=TcpAddress(HOST, reserve_port()),
        resources=(EnvoyRoute("crm", frozenset({"mcp.example.com"}), "/crm", upstream=upstream, upstream_path="/mcp"),),
        authz=Upstream(UnixAddress(str(folder / "authz.sock"))),
        proc=Upstream(UnixAddress(str(folder / "proc.sock"))),
        check_timeout_s=1.0,
        off_word=WORD,
        admin=admin,
    )
    with run_envoy(launch_envoy(folder, gateway)):
        connection = http.client.HTTPConnection(admin.host, admin.port, timeout=10)
        connection.request("GET", "/config_dump")
        yield connection.getresponse().read().decode()
        connection.close()


def test_our_configuration_has_no_findings_as_envoy_loaded_it(dump: str) -> None:
    report = check_file(dump, off_word=WORD)
    assert (report.findings, report.hints, report.checked) == ([], [], ["HTTP connection manager"])


@pytest.mark.parametrize(
    ("minor", "expected"), [(39, ("version-authz",)), (38, ("version-authz", "version-proc"))], ids=str
)
def test_version_is_where_envoy_writes_it(dump: str, minor: int, expected: tuple[str, ...]) -> None:
    older = dump.replace('"minor_number": 40', f'"minor_number": {minor}')
    assert {finding.id for finding in check_file(older, off_word=WORD).findings} == set(expected)
