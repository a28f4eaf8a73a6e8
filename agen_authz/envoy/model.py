"""What an Envoy configuration is made from: values only, so that rendering is a pure function of them."""

from dataclasses import dataclass
from enum import StrEnum

# Where Debian, Ubuntu and Envoy's own images keep the authorities that a system trusts.
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"


class Platform(StrEnum):
    """What a configuration can be rendered for."""

    SIDECAR = "sidecar"
    ENVOY_GATEWAY = "envoy-gateway"
    ISTIO = "istio"


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why no configuration can be rendered; `cure` says what to do."""

    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.message}; {self.cure}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """An IP address, or a name that Envoy resolves, and a port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A Unix socket."""

    path: str


Address = TcpAddress | UnixAddress


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What Envoy shows a server that asks for a certificate: files on Envoy's machine."""

    cert_file: str
    key_file: str


@dataclass(frozen=True, slots=True)
class ClientTls:
    """TLS towards an upstream, whose certificate must be for `server_name` and from an authority in `ca_file`."""

    server_name: str
    ca_file: str = SYSTEM_CA
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a server is, and how it is spoken to."""

    address: Address
    tls: ClientTls | None = None


@dataclass(frozen=True, slots=True)
class EnvoyRoute:
    """One resource: what callers ask for, and where it goes.

    A query that belongs to the resource's URL is Check's matter; it is forwarded as it came.
    """

    name: str
    authorities: frozenset[str]
    path: str
    upstream: Upstream
    upstream_path: str


@dataclass(frozen=True, slots=True)
class EnvoyLimits:
    """What one Envoy takes on at most.

    Args:
        process_timeout_s: how long Process may take for one message; what Process holds of a body it answers at once,
            and its last message takes as long as the whole body does.
    """

    request_bytes: int = 1 << 20
    max_stream_duration_s: int = 3600
    process_timeout_s: float = 5.0
    connections: int = 10_000
    requests: int = 10_000


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that the bootstrap of one Envoy is rendered from.

    Args:
        admin: Envoy's admin interface, which can stop Envoy and shows all of its configuration; loopback only.
        proc: where the first Process is.
        more_proc: where the others are, one address for each; all are spoken to alike.
        off_word: what `agen.inspect` says when Process may be skipped.
    """

    listener: TcpAddress
    resources: tuple[EnvoyRoute, ...]
    authz: Upstream
    proc: Upstream
    check_timeout_s: float
    off_word: str
    limits: EnvoyLimits = EnvoyLimits()
    admin: TcpAddress | None = None
    more_proc: tuple[Address, ...] = ()
