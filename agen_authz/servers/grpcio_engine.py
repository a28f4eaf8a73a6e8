"""Check on grpcio: every address, and mutual TLS."""

import contextlib

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from agen_authz.core.errors import ConfigError
from agen_authz.servers.certificate import Certificates, read_certificates
from agen_authz.servers.engine import (
    CHECK_SERVICE,
    CheckFunction,
    Listener,
    TlsFiles,
    claimed,
    refuse_address,
)

_MAX_METADATA_BYTES = 64 * 1024


class GrpcioEngine:
    """`servers.engine.Engine` on `grpc.aio`."""

    def __init__(self, listener: Listener, check: CheckFunction) -> None:
        self._listener = listener
        self._check = check
        self._health = health_aio.HealthServicer()
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listen; `Engine.start`."""
        server = aio.server(
            options=[
                ("grpc.max_receive_message_length", self._listener.message_bytes),
                ("grpc.max_concurrent_streams", self._listener.in_flight),
                ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Check": grpc.unary_unary_rpc_method_handler(self._answer)
        }
        server.add_registered_method_handlers(CHECK_SERVICE, handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        with claimed(self._listener) as target:
            try:
                if self._listener.tls is None:
                    server.add_insecure_port(target)
                else:
                    server.add_secure_port(target, load_credentials(self._listener.tls))
            except RuntimeError as exc:
                raise refuse_address(self._listener.address, "not available") from exc
        await self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        self._server = server

    async def _answer(self, raw: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        # None where the caller set no deadline, whatever the stubs say.
        return await self._check(raw, context.time_remaining())

    async def _report(self, status: int) -> None:
        for service in ("", CHECK_SERVICE):
            await self._health.set(service, status)

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        status = health_pb2.HealthCheckResponse
        await self._report(status.SERVING if is_serving else status.NOT_SERVING)

    async def stop(self, grace_s: float) -> None:
        """Close; `Engine.stop`."""
        if self._server is not None:
            await self._server.stop(grace_s)


def load_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Load certificate, key and the CA of clients; clients without a certificate of that CA are refused.

    The files are read again at every handshake: renewed certificates need no restart, and while the files cannot be
    used together the last good set stays.

    Raises:
        ConfigError: the files cannot be used now.
    """
    last = _configure(read_certificates(tls))

    def reread() -> grpc.ServerCertificateConfiguration:
        nonlocal last
        with contextlib.suppress(ConfigError):
            last = _configure(read_certificates(tls))
        return last

    return grpc.dynamic_ssl_server_credentials(last, reread, require_client_authentication=True)


def _configure(read: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (read.private_key, read.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=read.client_ca)
