"""The configuration file, and what it does not say, become the values that Envoy's bootstrap is rendered from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agen_authz.config import Config, number_addresses
from agen_authz.config import model as conf
from agen_authz.config.part.authority import authorities_of
from agen_authz.core.digest import off_word
from agen_authz.core.http.loopback import is_loopback
from agen_authz.envoy.address import is_every_address, parse_address, render_address
from agen_authz.envoy.model import (
    Address,
    ClientCertificate,
    ClientTls,
    EnvoyLimits,
    EnvoyRoute,
    Gateway,
    TcpAddress,
    UnixAddress,
    Unusable,
    Upstream,
)

DEFAULT_LISTENER = TcpAddress("127.0.0.1", 10000)
# `.internal` is kept free for private use: no other server can answer under the name.
_PLACEHOLDER_DOMAIN = "internal"
_PLACEHOLDER_PORT = 8080
# As a Kubernetes secret of type `kubernetes.io/tls` looks when mounted.
_CERTIFICATE_FOLDER = "/etc/agen/envoy"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where things are as Envoy sees them, which the configuration file does not say.

    Args:
        upstreams: each resource's server by the resource's name; `NAME.internal:8080` for one that is not here.
        authz: where Envoy reaches Check, if it is not the address that Check listens on.
        proc: where Envoy reaches the first Process, likewise; the others follow it as `server.filter_workers` says.
    """

    listener: TcpAddress = DEFAULT_LISTENER
    admin: TcpAddress | None = None
    authz: Upstream | None = None
    proc: Upstream | None = None
    upstreams: Mapping[str, Upstream] = field(default_factory=dict)


def from_config(config: Config, metadata_key: bytes | None, placement: Placement) -> Gateway | Unusable:
    """Take from a configuration what Envoy must know; `metadata_key` is the content of `metadata_key_file`."""
    unknown = placement.upstreams.keys() - {resource.name for resource in config.resources}
    if unknown:
        named = ", ".join(f"`{name}`" for name in sorted(unknown))
        return Unusable(f"no resource is called {named}", "use a resource's `name` before the `=`")
    if placement.admin is not None and not is_loopback(placement.admin.host):
        return Unusable(
            f"the admin interface may not listen on `{placement.admin.host}`", "use a loopback address or none"
        )
    authz = _find_placed("authz", placement.authz, config.server)
    if isinstance(authz, Unusable):
        return authz
    proc = _find_placed("proc", placement.proc, config.server)
    if isinstance(proc, Unusable):
        return proc
    more_proc = _list_more(proc.address, config.server.filter_workers)
    if isinstance(more_proc, Unusable):
        return more_proc
    return Gateway(
        listener=placement.listener,
        admin=placement.admin,
        resources=tuple(_build_route(resource, placement.upstreams) for resource in config.resources),
        authz=authz,
        proc=proc,
        check_timeout_s=config.server.check_timeout,
        off_word=off_word(metadata_key),
        limits=EnvoyLimits(request_bytes=config.limits.request_bytes),
        more_proc=more_proc,
    )


def _find_placed(key: str, placed: Upstream | None, server: conf.Server) -> Upstream | Unusable:
    if placed is None:
        return _find_listener(key, getattr(server, key), server)
    if placed.tls is None and server.tls is not None and isinstance(placed.address, TcpAddress):
        return Upstream(placed.address, _mutual_tls(placed.address.host))
    return placed


def _find_listener(key: str, written: str, server: conf.Server) -> Upstream | Unusable:
    address = parse_address(written)
    if isinstance(address, Unusable):
        return address
    if isinstance(address, UnixAddress):
        return Upstream(address)
    if is_every_address(address.host):
        return Unusable(f"`server.{key}` is `{written}`", f"say with `--{key}` where Envoy reaches it")
    return Upstream(address, None if server.tls is None else _mutual_tls(address.host))


def _list_more(first: Address, count: int) -> tuple[Address, ...] | Unusable:
    """List where the second Process and those after it are, as the workers themselves find it."""
    found: list[Address] = []
    for text in number_addresses(render_address(first), count)[1:]:
        address = parse_address(text)
        if isinstance(address, Unusable):
            return Unusable(f"one of {count} workers would be at `{text}`", "choose a lower port for Process")
        found.append(address)
    return tuple(found)


def _mutual_tls(server_name: str) -> ClientTls:
    """Check and Process ask for a certificate: Envoy finds its own where a mounted secret has it."""
    certificate = ClientCertificate(f"{_CERTIFICATE_FOLDER}/tls.crt", f"{_CERTIFICATE_FOLDER}/tls.key")
    return ClientTls(server_name, f"{_CERTIFICATE_FOLDER}/ca.crt", certificate)


def _build_route(resource: conf.Resource, upstreams: Mapping[str, Upstream]) -> EnvoyRoute:
    parts = urlsplit(resource.url)
    path = parts.path or "/"
    return EnvoyRoute(
        name=resource.name,
        authorities=authorities_of(parts),
        path=path,
        upstream=upstreams.get(resource.name) or _placeholder(resource.name),
        upstream_path=resource.upstream_path or path,
    )


def _placeholder(name: str) -> Upstream:
    return Upstream(TcpAddress(f"{name}.{_PLACEHOLDER_DOMAIN}", _PLACEHOLDER_PORT))
