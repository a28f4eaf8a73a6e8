"""`server`: what listens, and how long it may take."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from agen_authz.config.part.url import is_socket, split_address
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Section
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import PositiveSeconds
from agen_authz.core.http.loopback import is_loopback_address

_GRPC = ("authz", "proc")
_LISTENERS = (*_GRPC, "ops", "console")


class Tls(Section):
    """Mutual TLS of a gRPC listener; PEM files."""

    cert_file: Line = Field(description="The server's certificate and its chain.")
    key_file: Line = Field(description="Its private key.")
    client_ca_file: Line = Field(description="The CA that signs the clients' certificates.")


class Server(Section):
    """The addresses that the sidecar listens on, and its time limits."""

    authz: Line = Field(
        "127.0.0.1:9191",
        description="The address of Check: host:port, or unix:///path (mode 0660). Processes outside of its user and"
        " group cannot connect to a socket.",
    )
    proc: Line = Field(
        "127.0.0.1:9192",
        description="The address of the first Process worker: host:port, or unix:///path (mode 0660). The second"
        " listens at the next port, or at /path-2.sock for /path.sock, and so on.",
    )
    ops: Line = Field(
        "127.0.0.1:9464", description="The address of /metrics, /livez and /readyz; details are shown only to loopback."
    )
    console: Line = Field("127.0.0.1:8080", description="The address of the approvers' pages: host:port.")
    engine: Literal["auto", "native", "grpcio"] = Field(
        "auto",
        description="The gRPC server that answers Check. `auto` chooses native on loopback and Unix sockets without"
        " TLS, and grpcio otherwise.",
    )
    tls: Tls | None = Field(
        None,
        description="Certificates for mutual TLS. Required if a gRPC address is neither loopback nor a Unix socket,"
        " unless `insecure_plaintext` is set.",
    )
    insecure_plaintext: bool = Field(
        False,
        description="Allows a gRPC address beyond loopback without `tls`; safe only if a service mesh encrypts and"
        " authenticates the connection.",
    )
    check_timeout: PositiveSeconds = Field(
        1.0, description="How long Envoy waits for Check; holds, hooks and store calls must fit in it."
    )
    filter_workers: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="How many processes inspect responses, each at its own address (see `proc`)."
    )
    shutdown_grace: PositiveSeconds = Field(20.0, description="How long calls may still take after the shutdown began.")
    metadata_key_file: Line | None = Field(
        None,
        description="The key that authenticates the metadata which Check sends to Process. Default: a random key,"
        " drawn once at the start, which does not work with several replicas. Without the file the word that switches"
        " inspection off is a plain `off`, which other filters could write.",
    )
    insecure_accept_text_bodies: bool = Field(
        False,
        description="Accepts bodies from an Envoy without `pack_as_bytes`; such an Envoy replaces bytes that are not"
        " UTF-8.",
    )


def list_proc_addresses(server: Server) -> tuple[str, ...]:
    """List where the Process workers listen, one address each.

    gRPC servers cannot share a Unix socket, and a port that several processes share (SO_REUSEPORT) may be shared by a
    foreign one as well.
    """
    return number_addresses(server.proc, server.filter_workers)


def number_addresses(first: str, count: int) -> tuple[str, ...]:
    """Number addresses from the first on: the ports after its port, or `proc-2.sock` after `proc.sock`."""
    return tuple(_find_address(first, number) for number in range(1, count + 1))


def _find_address(first: str, number: int) -> str:
    if number == 1:
        return first
    if first.startswith("unix:"):
        path = PurePosixPath(first)
        return first.removesuffix(path.name) + f"{path.stem}-{number}{path.suffix}"
    host, _, port = first.rpartition(":")
    return f"{host}:{int(port) + number - 1}"


def check_server(findings: Findings, server: Server) -> None:
    """Check what listens."""
    addresses: dict[str, str] = {}
    for key in _LISTENERS:
        address = getattr(server, key)
        _check_address(findings, server, ("server", key))
        other = addresses.setdefault(address, key)
        if other != key:
            findings.add(("server", key), f"`server.{other}` listens there", "give each its own port or path")
    _check_workers(findings, server, addresses)
    if server.engine == "native" and server.tls is not None:
        findings.add(("server", "engine"), "the native engine has no TLS", "use `engine: grpcio` or `auto`")


def _check_workers(findings: Findings, server: Server, addresses: dict[str, str]) -> None:
    """Check where the second Process worker and those after it listen."""
    if not is_socket(server.proc) and split_address(server.proc) is None:
        return
    path, leans_on = ("server", "filter_workers"), (("server", "proc"),)
    for address in list_proc_addresses(server)[1:]:
        taken = addresses.get(address)
        if taken is not None:
            cure = f"move `server.{taken}`, or `server.proc`"
            message = f"one of them would listen on `{address}`, where `server.{taken}` listens"
            findings.add(path, message, cure, leans_on=leans_on)
        elif not is_socket(address) and split_address(address) is None:
            message = f"one of them would listen on `{address}`, which is not an address"
            findings.add(path, message, "move `server.proc`, or have fewer", leans_on=leans_on)
            return


def _check_address(findings: Findings, server: Server, path: Path) -> None:
    address, is_grpc = getattr(server, str(path[-1])), path[-1] in _GRPC
    if address.startswith("unix:"):
        if not is_grpc or not is_socket(address):
            cure = "write host:port, or unix:///path (107 bytes at most) for gRPC"
            findings.add(path, "not an address that this can listen on", cure)
        return
    found = split_address(address)
    if found is None:
        findings.add(path, "not an address", "write host:port, such as 127.0.0.1:9191 or [::1]:9191")
    elif is_grpc and not is_loopback_address(found[0]):
        _check_exposed(findings, server, path, found[0])


def _check_exposed(findings: Findings, server: Server, path: Path, host: str) -> None:
    if path[-1] == "authz" and server.engine == "native":
        findings.add(path, "the native engine has no TLS", "use `engine: grpcio` beyond loopback")
    if server.tls is None and not server.insecure_plaintext:
        cure = "set `server.tls`, or `insecure_plaintext: true` where a mesh encrypts"
        if host.rpartition(".")[2] == "localhost":
            cure = "write the address, 127.0.0.1 or [::1]: what a name leads to is up to the resolver; or " + cure
        leans_on = (("server", "tls"), ("server", "insecure_plaintext"))
        findings.add(path, "a gRPC address beyond loopback needs mutual TLS", cure, leans_on=leans_on)
