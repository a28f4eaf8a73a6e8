"""Mutual TLS: only clients with a valid certificate of the configured authority reach Check."""

from pathlib import Path

import grpc
import pytest
from grpc import aio

from agen_authz.core.errors import ConfigError
from agen_authz.servers.engine import CHECK_METHOD, Listener, TlsFiles
from agen_authz.servers.grpcio_engine import GrpcioEngine
from tests.certificates import YESTERDAY_THEN, Identity, issue
from tests.servers.test_engines import BOUND_S, REQUEST_BYTES, free_port, method

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


async def test_client_of_the_authority_is_served(tmp_path, authority):
    address = f"127.0.0.1:{free_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), echo)
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
    address = f"127.0.0.1:{free_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), echo)
    await engine.start()
    with pytest.raises(aio.AioRpcError) as caught:
        await ask(address, CLIENTS[client](authority))
    await engine.stop(0)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_renewed_certificates_need_no_restart(tmp_path, authority):
    address, renewed = f"127.0.0.1:{free_port()}", issue("renewed authority")
    engine = GrpcioEngine(
        Listener(address, REQUEST_BYTES, 64, write_files(tmp_path, issue("server", authority), authority)), echo
    )
    await engine.start()
    write_files(tmp_path, issue("server", renewed), renewed)
    assert await ask(address, credentials(renewed, issue("envoy", renewed))) == b"x"
    with pytest.raises(aio.AioRpcError):
        await ask(address, credentials(renewed, issue("envoy", authority)))
    await engine.stop(0)


async def test_files_that_vanish_keep_the_last_good_set(tmp_path, authority):
    address = f"127.0.0.1:{free_port()}"
    files = write_files(tmp_path, issue("server", authority), authority)
    engine = GrpcioEngine(Listener(address, REQUEST_BYTES, 64, files), echo)
    await engine.start()
    files.key_file.unlink()
    assert await ask(address, credentials(authority, issue("envoy", authority))) == b"x"
    await engine.stop(0)


async def test_file_that_cannot_be_read_is_named(tmp_path):
    files = TlsFiles(tmp_path / "a.crt", tmp_path / "a.key", tmp_path / "ca.crt")
    with pytest.raises(ConfigError) as caught:
        await GrpcioEngine(Listener("127.0.0.1:1", REQUEST_BYTES, 64, files), echo).start()
    assert "server.tls.key_file" in str(caught.value)
