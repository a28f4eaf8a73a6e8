"""Mutual TLS: only clients with a valid certificate of the configured authority reach Check."""

from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from grpc import aio

from agen_authz.core.errors import ConfigError
from agen_authz.servers.certificate import read_certificates
from agen_authz.servers.engine import CHECK_METHOD, Listener, TlsFiles
from agen_authz.servers.grpcio_engine import GrpcioEngine
from tests.certificates import YESTERDAY_THEN, Identity, issue
from tests.servers.test_engines import REQUEST_BYTES, Deciding, method
from tests.stage.port import reserve_port
from tests.stage.process import BOUND_S

pytestmark = pytest.mark.loopback


async def echo(raw: bytes, remaining_s: float | None) -> bytes:
    return raw


def write_files(folder: Path, server: Identity, authority: Identity) -> TlsFiles:
    certificate, key = server.write(folder, "server")
    ca, _ = authority.write(folder, "ca")
    return TlsFiles(certificate, key, ca)


def credentials(authority: Identity, client: Identity | None) -> grpc.ChannelCredentials:
    if client is None:
        return grpc.ssl_channel_credentials(authority.pem)
    return grpc.ssl_channel_credentials(authority.pem, client.key_pem, client.pem)


async def ask(address: str, channel_credentials: grpc.ChannelCredentials | None) -> bytes:
    if channel_credentials is None:
        channel = aio.insecure_channel(address)
    else:
        channel = aio.secure_channel(address, channel_credentials)
    async with channel:
        answer: bytes = await method(channel, CHECK_METHOD)(b"x", timeout=BOUND_S)
        return answer


@pytest.fixture(scope="module")
def authority() -> Identity:
    return issue("authority")


@pytest.mark.parametrize("name", ["cert_file", "key_file", "client_ca_file"])
def test_file_that_is_open_for_writing_is_not_read(tmp_path, authority, name):
    files = write_files(tmp_path, issue("server", authority), authority)
    with getattr(files, name).open("ab"), pytest.raises(ConfigError) as refused:
        read_certificates(files)
    assert [problem.path for problem in refused.value.problems] == [f"server.tls.{name}"]
    read_certificates(files)


async def test_client_of_the_authority_is_served(tmp_path, authority):
    address = f"127.0.0.1:{reserve_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), Deciding(echo))
    await engine.start()
    assert await ask(address, credentials(authority, issue("envoy", authority))) == b"x"
    await engine.stop(0)


CLIENTS = {
    "plaintext": lambda ours: None,
    "no certificate": lambda ours: credentials(ours, None),
    "another authority": lambda ours: credentials(ours, issue("envoy", issue("stranger"))),
    "expired": lambda ours: credentials(ours, issue("envoy", ours, YESTERDAY_THEN)),
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_other_client_is_refused(tmp_path, authority, client):
    address = f"127.0.0.1:{reserve_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), Deciding(echo))
    await engine.start()
    with pytest.raises(aio.AioRpcError) as caught:
        await ask(address, CLIENTS[client](authority))
    await engine.stop(0)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_renewed_certificates_need_no_restart(tmp_path, authority):
    address, renewed = f"127.0.0.1:{reserve_port()}", issue("renewed authority")
    engine = GrpcioEngine(
        Listener(address, REQUEST_BYTES, 64, write_files(tmp_path, issue("server", authority), authority)),
        Deciding(echo),
    )
    await engine.start()
    write_files(tmp_path, issue("server", renewed), renewed)
    assert await ask(address, credentials(renewed, issue("envoy", renewed))) == b"x"
    with pytest.raises(aio.AioRpcError):
        await ask(address, credentials(renewed, issue("envoy", authority)))
    await engine.stop(0)


def _vanish(files: TlsFiles) -> None:
    files.key_file.unlink()


def _halve(files: TlsFiles) -> None:
    files.cert_file.write_bytes(files.cert_file.read_bytes()[:100])


def _mismatch(files: TlsFiles) -> None:
    files.key_file.write_bytes(issue("another").key_pem)


def _empty_authority(files: TlsFiles) -> None:
    files.client_ca_file.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_vanish, _halve, _mismatch, _empty_authority])
async def test_files_that_cannot_be_used_keep_the_last_good_set(tmp_path, authority, spoil):
    address = f"127.0.0.1:{reserve_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), Deciding(echo))
    await engine.start()
    spoil(files)
    assert await ask(address, credentials(authority, issue("envoy", authority))) == b"x"
    with pytest.raises(aio.AioRpcError):
        await ask(address, credentials(authority, issue("envoy", issue("stranger"))))
    await engine.stop(0)


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_vanish, "key_file"),
        (_halve, "cert_file"),
        (_mismatch, "key_file"),
        (_empty_authority, "client_ca_file"),
    ],
)
async def test_files_that_cannot_be_used_are_named_at_the_start(tmp_path, authority, spoil, key):
    files = write_files(tmp_path, issue("server", authority), authority)
    spoil(files)
    with pytest.raises(ConfigError) as caught:
        await GrpcioEngine(Listener("127.0.0.1:1", REQUEST_BYTES, 64, files), Deciding(echo)).start()
    (problem,) = caught.value.problems
    assert problem.path == f"server.tls.{key}"


def test_key_that_asks_for_a_password_is_refused(tmp_path, authority):
    files = write_files(tmp_path, authority, authority)
    lock = serialization.BestAvailableEncryption(b"secret")
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.key_file.write_bytes(authority.key.private_bytes(encoding, form, lock))
    with pytest.raises(ConfigError) as caught:
        read_certificates(files)
    assert "an unencrypted private key" in str(caught.value)


async def test_file_that_cannot_be_read_is_named(tmp_path):
    files = TlsFiles(tmp_path / "a.crt", tmp_path / "a.key", tmp_path / "ca.crt")
    with pytest.raises(ConfigError) as caught:
        await GrpcioEngine(Listener("127.0.0.1:1", REQUEST_BYTES, 64, files), Deciding(echo)).start()
    assert "server.tls.key_file" in str(caught.value)
