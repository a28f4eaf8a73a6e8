"""Where the workers listen, and on which gRPC server."""

from pathlib import Path

from agen_authz.config import Config, list_proc_addresses
from agen_authz.config.model import Server
from agen_authz.servers.engine import Decider, Engine, Listener, TlsFiles, is_local
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.grpcio_stream import StreamServicer
from agen_authz.servers.native_engine import NativeEngine
from agen_authz.servers.process_engine import ProcessEngine


def build_tls_files(server: Server) -> TlsFiles | None:
    """Name the files of the listeners' certificates; None where they speak plain text."""
    if server.tls is None:
        return None
    return TlsFiles(*(Path(name) for name in (server.tls.cert_file, server.tls.key_file, server.tls.client_ca_file)))


def build_check_engine(config: Config, decider: Decider) -> Engine:
    """Build what answers Check."""
    server, limits = config.server, config.limits
    tls = build_tls_files(server)
    listener = Listener(server.authz, limits.request_bytes, limits.in_flight, tls)
    engine = server.engine
    if engine == "auto":
        engine = "native" if tls is None and is_local(server.authz) else "grpcio"
    if engine == "native":
        return NativeEngine(listener, decider)
    return GrpcioEngine(listener, decider)


def build_process_engine(config: Config, index: int, servicer: StreamServicer) -> ProcessEngine:
    """Build what answers Process in the worker of this index, counted from 0."""
    server, limits = config.server, config.limits
    address = list_proc_addresses(server)[index]
    return ProcessEngine(
        Listener(address, limits.response_bytes, limits.in_flight, build_tls_files(server), "server.proc"), servicer
    )
