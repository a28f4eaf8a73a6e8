"""A gRPC server on grpcio: one service and grpc.health.v1 on one socket, with mutual TLS where it is configured."""

import contextlib

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from agen_authz.core.errors import ConfigError
from agen_authz.servers.certificate import Certificates, read_certificates
from agen_authz.servers.engine import Listener, TlsFiles, claimed, refuse_address

_MAX_METADATA_BYTES = 64 * 1024
_STATUS = health_pb2.HealthCheckResponse


class GrpcioServer:
    """Serves one method of one service.

    Args:
        message_bytes: the largest message that is received; a larger one ends its call.
        most_calls: of all connections together; None for no bound besides that of each connection.
    """

    def __init__(self, listener: Listener, service: str, message_bytes: int, most_calls: int | None = None) -> None:
        self._listener = listener
        self._service = service
        self._message_bytes = message_bytes
        self._most_calls = most_calls
        self._health = health_aio.HealthServicer()
        self._server: aio.Server | None = None

    async def start(self, method: str, answers: "grpc.RpcMethodHandler[bytes, bytes]") -> None:
        """Listen, and answer NOT_SERVING until told otherwise.

        Raises:
            ConfigError: the address cannot be listened on, or the certificates cannot be used.
        """
        server = aio.server(
            options=[
                ("grpc.max_receive_message_length", self._message_bytes),
                ("grpc.max_concurrent_streams", self._listener.in_flight),
                ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
                ("grpc.so_reuseport", 0),
            ],
            maximum_concurrent_rpcs=self._most_calls,
        )
        server.add_registered_method_handlers(self._service, {method: answers})
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        with claimed(self._listener) as target:
            try:
                if self._listener.tls is None:
                    server.add_insecure_port(target)
                else:
                    server.add_secure_port(target, _load_credentials(self._listener.tls))
            except RuntimeError as exc:
                raise refuse_address(self._listener, "not available") from exc
        await self.set_serving(False)
        await server.start()
        self._server = server

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        for service in ("", self._service):
            await self._health.set(service, _STATUS.SERVING if is_serving else _STATUS.NOT_SERVING)

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, wait for those in flight, close; `Engine.stop`."""
        if self._server is not None:
            await self._server.stop(grace_s)


def _load_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
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
