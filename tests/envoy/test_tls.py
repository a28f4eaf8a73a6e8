"""Mutual TLS between Envoy and Check, seen on the wire."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from agen_authz.envoy.model import ClientCertificate, ClientTls, Gateway, TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from tests.certificates import Identity, issue
from tests.envoy.stand import OFF_WORD, Backend, Check, Stand, crm, request, serve_backend, serve_check
from tests.stage.envoy import launch_envoy
from tests.stage.port import HOST, reserve_port

pytestmark = pytest.mark.envoy


def _tls(folder: Path, envoy: Identity, authority: Identity) -> ClientTls:
    files = {"tls.key": envoy.key_pem, "tls.crt": envoy.pem, "ca.crt": authority.pem}
    for name, pem in files.items():
        (folder / name).write_bytes(pem)
    return ClientTls(HOST, f"{folder}/ca.crt", ClientCertificate(f"{folder}/tls.crt", f"{folder}/tls.key"))


@pytest.fixture(scope="module")
def authority() -> Identity:
    return issue("authority")


@pytest.fixture(scope="module")
def secured(authority: Identity) -> Iterator[tuple[Check, int]]:
    """Serve Check to those whose certificate the authority has signed."""
    server, check, port = issue("check", authority), Check(), reserve_port()
    credentials = grpc.ssl_server_credentials(
        [(server.key_pem, server.pem)], root_certificates=authority.pem, require_client_auth=True
    )
    with serve_check(check, port, credentials):
        yield check, port


@pytest.mark.parametrize(
    ("is_known_client", "is_known_server", "expected"),
    [
        pytest.param(True, True, (200, 1), id="both known"),
        pytest.param(False, True, (503, 0), id="Check does not know Envoy"),
        pytest.param(True, False, (503, 0), id="Envoy does not know Check"),
    ],
)
def test_check_and_envoy_know_each_other(
    tmp_path: Path,
    authority: Identity,
    secured: tuple[Check, int],
    is_known_client: bool,
    is_known_server: bool,
    expected: tuple[int, int],
) -> None:
    (check, port), stranger = secured, issue("stranger")
    check.asked.clear()
    envoy = issue("envoy", authority if is_known_client else stranger)
    tls = _tls(tmp_path, envoy, authority if is_known_server else stranger)
    backend = Backend()
    with serve_backend(backend) as backend_port:
        authz, listener = Upstream(TcpAddress(HOST, port), tls), TcpAddress(HOST, reserve_port())
        sidecar = Gateway(
            listener, (crm(backend_port),), authz=authz, proc=authz, check_timeout_s=5.0, off_word=OFF_WORD
        )
        with run_envoy(launch_envoy(tmp_path, sidecar)):
            reply = Stand(listener.port, check, backend).send(request("GET", "/crm/mcp"))
    assert (reply.status, len(check.asked)) == expected
