"""`agen-authz envoy-config`: a configuration of ours printed, or another one checked."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from agen_authz.cli.output import Exit, load_or_exit
from agen_authz.envoy.model import Platform, TcpAddress, Unusable, Upstream

if TYPE_CHECKING:
    from agen_authz.config import Loaded
    from agen_authz.envoy.platform.place import Cluster
    from agen_authz.envoy.settings import Placement

T = TypeVar("T")
_MAX_CHECKED_BYTES = 64 << 20

Binary = Annotated[
    Path | None,
    typer.Option("--envoy", help="With --check: the Envoy that runs it, asked for its version.", metavar="FILE"),
]
Upstreams = Annotated[list[str] | None, typer.Option(help="A resource's server; repeatable.", metavar="NAME=ADDRESS")]
GatewayName = Annotated[
    str, typer.Option(help="With --for envoy-gateway: the Gateway and its listener.", metavar="NAME/LISTENER")
]
Workload = Annotated[str, typer.Option(help="With --for istio: the label of the pods.", metavar="KEY=VALUE")]
MeshGateway = Annotated[
    bool, typer.Option("--mesh-gateway", help="With --for istio: the pods are a gateway, not MCP servers.")
]


def envoy_config(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.", metavar="FILE")] = None,
    *,
    check: Annotated[
        Path | None,
        typer.Option(help="Check this Envoy configuration instead, for ways past agen-authz.", metavar="FILE"),
    ] = None,
    binary: Binary = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings of --check as JSON.")] = False,
    platform: Annotated[Platform, typer.Option("--for", help="Envoy's platform.")] = Platform.SIDECAR,
    upstream: Upstreams = None,
    listen: Annotated[str | None, typer.Option(help="Envoy's own address.", metavar="HOST:PORT")] = None,
    admin: Annotated[
        str | None, typer.Option(help="Envoy's admin interface, on loopback.", metavar="HOST:PORT")
    ] = None,
    authz: Annotated[str | None, typer.Option(help="Check's address, for Envoy.", metavar="ADDRESS")] = None,
    proc: Annotated[str | None, typer.Option(help="The first Process's address, for Envoy.", metavar="ADDRESS")] = None,
    gateway: GatewayName = "mcp/http",
    workload: Workload = "app=mcp-server",
    mesh_gateway: MeshGateway = False,
) -> None:
    """Print an Envoy configuration that sends every request through agen-authz.

    Example: agen-authz envoy-config --config agen.yaml --upstream crm=10.0.0.7:8080 > envoy.yaml

    With --check, check an Envoy bootstrap, an admin /config_dump, or manifests of Istio or Envoy Gateway. Exits 1
    with findings; what is not understood and may carry traffic is one. With --config too, body sizes and the word
    that skips inspection are compared with that configuration.
    """
    _refuse_missing()
    if check is not None:
        _check(check, config, binary, as_json=as_json)
    if config is None or binary is not None:
        _misuse(f"`{'--check' if binary else '--config` or `--check'}` is missing; name a file")
    loaded = load_or_exit(config, secrets=False, as_json=False)
    placed = _place(listen, admin, upstream or [])
    placement = replace(placed, authz=_upstream_or_none(authz), proc=_upstream_or_none(proc))
    cluster = _cluster(gateway, workload, is_gateway=mesh_gateway)
    typer.echo(_render(platform, loaded, placement, cluster), nl=False)


def _refuse_missing() -> None:
    """Say so if an installation has no part of Envoy's side, as the image."""
    missing = [name for name in ("agen_authz.envoy.render", "envoy_data_plane") if find_spec(name) is None]
    if missing:
        _misuse(
            f"`{missing[0]}` is not installed (the image is without it); run this with `agen-authz[server]` installed"
        )


def _place(listen: str | None, admin: str | None, upstreams: list[str]) -> "Placement":
    from agen_authz.envoy.address import parse_upstream
    from agen_authz.envoy.settings import DEFAULT_LISTENER, Placement

    return Placement(
        listener=DEFAULT_LISTENER if listen is None else _tcp(listen),
        admin=None if admin is None else _tcp(admin),
        upstreams=dict(_refuse_unusable(parse_upstream(text)) for text in upstreams),
    )


def _cluster(gateway: str, workload: str, *, is_gateway: bool) -> "Cluster":
    from agen_authz.envoy.platform.place import Cluster

    name, slash, listener = gateway.partition("/")
    key, equals, value = workload.partition("=")
    if not (name and slash and listener):
        _misuse(f"`{gateway}` is not a Gateway and its listener; write `--gateway NAME/LISTENER`")
    if not (key and equals and value):
        _misuse(f"`{workload}` is not a label; write `--workload KEY=VALUE`")
    return Cluster(gateway=name, listener=listener, workload={key: value}, is_gateway=is_gateway)


def _render(platform: Platform, loaded: "Loaded", placement: "Placement", cluster: "Cluster") -> str:
    # Envoy's messages as typed Python take longer to import than all that the other commands need.
    from agen_authz.envoy.render import render
    from agen_authz.envoy.settings import from_config

    sidecar = _refuse_unusable(from_config(loaded.config, _metadata_key(loaded), placement))
    return _refuse_unusable(render(platform, sidecar, cluster))


def _check(file: Path, config: Path | None, binary: Path | None, *, as_json: bool) -> NoReturn:
    """Check a file and exit: 1 if there are findings or nothing could be checked, 0 otherwise."""
    from agen_authz.envoy.binary import ask_version
    from agen_authz.envoy.check import DEFAULT_REQUEST_BYTES, check_file, render_json, render_text

    request_bytes, word = DEFAULT_REQUEST_BYTES, None
    if config is not None:
        loaded = load_or_exit(config, secrets=False, as_json=as_json)
        request_bytes, word = loaded.config.limits.request_bytes, _find_word(loaded)
    version = None if binary is None else _refuse_unusable(ask_version(binary))
    try:
        if file.stat().st_size > _MAX_CHECKED_BYTES:
            _misuse(f"`{file}` has more than {_MAX_CHECKED_BYTES >> 20} MiB; check a part of it")
        # What is not UTF-8 becomes a character that YAML refuses to be silent about.
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as exc:
        _misuse(f"`{file}` cannot be read: {exc.strerror}; name an Envoy configuration")
    report = check_file(text, request_bytes, off_word=word, version=version)
    typer.echo((render_json if as_json else render_text)(report, str(file)).rstrip("\n"))
    raise typer.Exit(Exit.FINDING if report.findings else Exit.OK)


def _find_word(loaded: "Loaded") -> str | None:
    """Find the word that skips inspection; without the key file the rest is still checked."""
    from agen_authz.core.digest import off_word

    name = loaded.config.server.metadata_key_file
    if name is not None and not Path(name).is_file():
        typer.echo(f"`{name}` is not here: the word that skips inspection is not compared", err=True)
        return None
    return off_word(_metadata_key(loaded))


def _tcp(text: str) -> TcpAddress:
    from agen_authz.envoy.address import parse_tcp_address

    return _refuse_unusable(parse_tcp_address(text))


def _upstream_or_none(text: str | None) -> Upstream | None:
    return None if text is None else _upstream(text)


def _upstream(text: str) -> Upstream:
    from agen_authz.envoy.address import parse_address

    address = parse_address(text)
    if isinstance(address, Unusable):
        _misuse(str(address))
    return Upstream(address)


def _metadata_key(loaded: "Loaded") -> bytes | None:
    # The word that switches inspection off is derived from this key: without its file there is no right one.
    name = loaded.config.server.metadata_key_file
    if name is None:
        return None
    try:
        return Path(name).read_bytes().removesuffix(b"\n")
    except OSError as exc:
        _misuse(f"server.metadata_key_file: `{name}` cannot be read: {exc.strerror}; run this where the file is")


def _refuse_unusable(value: T | Unusable) -> T:
    if isinstance(value, Unusable):
        _misuse(str(value))
    return value


def _misuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
