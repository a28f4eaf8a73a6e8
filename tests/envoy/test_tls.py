"""Mutual TLS between Envoy and Check, seen on the wire."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agen_authz.envoy.model import ClientCertificate, ClientTls, Sidecar, TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from tests.envoy.stand import HOST, Backend, Check, Stand, crm, free_port, launch, request, serve_backend, serve_check

pytestmark = pytest.mark.envoy

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FAR_AWAY = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(encoding, form, serialization.NoEncryption())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _issue(name: str, issuer: Identity | None = None) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    builder = (
        x509.CertificateBuilder(subject_name=subject, public_key=key.public_key())
        .not_valid_before(LONG_AGO)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .not_valid_after(FAR_AWAY)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    builder = builder if issuer is None else builder.add_extension(names, critical=False)
    certificate = builder.sign(key if issuer is None else issuer.key, hashes.SHA256())
    return Identity(key, certificate)


def _tls(folder: Path, envoy: Identity, authority: Identity) -> ClientTls:
    files = {"tls.key": envoy.key_pem, "tls.crt": envoy.pem, "ca.crt": authority.pem}
    for name, pem in files.items():
        (folder / name).write_bytes(pem)
    return ClientTls(HOST, f"{folder}/ca.crt", ClientCertificate(f"{folder}/tls.crt", f"{folder}/tls.key"))


@pytest.fixture(scope="module")
def authority() -> Identity:
    return _issue("authority")


@pytest.fixture(scope="module")
def secured(authority: Identity) -> Iterator[tuple[Check, int]]:
    """Serve Check to those whose certificate the authority has signed."""
    server, check, port = _issue("check", authority), Check(), free_port()
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
    (check, port), stranger = secured, _issue("stranger")
    check.asked.clear()
    envoy = _issue("envoy", authority if is_known_client else stranger)
    tls = _tls(tmp_path, envoy, authority if is_known_server else stranger)
    backend = Backend()
    with serve_backend(backend) as backend_port:
        authz, listener = Upstream(TcpAddress(HOST, port), tls), TcpAddress(HOST, free_port())
        sidecar = Sidecar(listener, (crm(backend_port),), authz=authz, check_timeout_s=5.0, off_word="off")
        with run_envoy(launch(tmp_path, sidecar)):
            reply = Stand(listener.port, check, backend).send(request("GET", "/crm/mcp"))
    assert (reply.status, len(check.asked)) == expected
