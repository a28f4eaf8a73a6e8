"""A configuration file, and what it does not say, become the values that are rendered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agen_authz.build.ruleset import build_provider, build_resource
from agen_authz.config import load
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
from agen_authz.envoy.render import render_sidecar
from agen_authz.envoy.settings import Placement, from_config

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "envoy" / "example.yaml"
MCP = frozenset({"mcp.example.com", "mcp.example.com:443"})
WIKI = frozenset({"wiki.example.com", "wiki.example.com:443"})


def _sidecar(text: str, placement: Placement, folder: Path, key: bytes | None = None) -> Gateway | Unusable:
    file = folder / "agen.yaml"
    file.write_text(text, encoding="utf-8")
    return from_config(load(file, secrets=False, environ={}).config, key, placement)


def _example(old: str = "", new: str = "") -> str:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new)


SERVER = "server:\n  authz: unix:///run/agen/authz.sock\n  proc: unix:///run/agen/proc.sock\n  check_timeout: 1s\n"


def _upstream(name: str) -> Upstream:
    return Upstream(TcpAddress(f"{name}.internal", 8080))


EXPECTED = Gateway(
    listener=TcpAddress("127.0.0.1", 10000),
    resources=(
        EnvoyRoute("crm", MCP, "/crm/mcp", upstream=_upstream("crm"), upstream_path="/mcp"),
        EnvoyRoute("billing", MCP, "/billing/mcp", upstream=_upstream("billing"), upstream_path="/mcp"),
        EnvoyRoute("wiki", WIKI, "/mcp", upstream=_upstream("wiki"), upstream_path="/mcp"),
    ),
    authz=Upstream(UnixAddress("/run/agen/authz.sock")),
    proc=Upstream(UnixAddress("/run/agen/proc.sock")),
    check_timeout_s=1.0,
    off_word="off",
    limits=EnvoyLimits(request_bytes=1 << 20),
)


def test_the_example_becomes_a_sidecar(tmp_path: Path) -> None:
    assert _sidecar(_example(), Placement(), tmp_path) == EXPECTED


def test_the_checked_in_configuration_is_what_the_example_gives(
    tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    sidecar = _sidecar(_example(), Placement(), tmp_path)
    assert isinstance(sidecar, Gateway)
    golden("envoy/sidecar.yaml", render_sidecar(sidecar))


def test_what_the_file_does_not_say_is_placed_by_the_caller(tmp_path: Path) -> None:
    wiki_server, authz = Upstream(TcpAddress("127.0.0.1", 8801)), Upstream(TcpAddress("127.0.0.1", 9999))
    listener, admin = TcpAddress("127.0.0.1", 10001), TcpAddress("127.0.0.1", 9901)
    proc = Upstream(TcpAddress("127.0.0.1", 9998))
    placement = Placement(listener=listener, admin=admin, authz=authz, proc=proc, upstreams={"wiki": wiki_server})
    crm, billing, wiki = EXPECTED.resources
    resources = (crm, billing, replace(wiki, upstream=wiki_server))
    expected = replace(EXPECTED, listener=listener, admin=admin, authz=authz, proc=proc, resources=resources)
    assert _sidecar(_example(), placement, tmp_path) == expected


@pytest.mark.parametrize(
    ("server", "authz"),
    [
        pytest.param("authz: 127.0.0.1:9191", Upstream(TcpAddress("127.0.0.1", 9191)), id="loopback"),
        pytest.param(
            "{authz: 'authz.example.com:9191', tls: {cert_file: a, key_file: b, client_ca_file: c}}",
            Upstream(
                TcpAddress("authz.example.com", 9191),
                ClientTls(
                    "authz.example.com",
                    "/etc/agen/envoy/ca.crt",
                    ClientCertificate("/etc/agen/envoy/tls.crt", "/etc/agen/envoy/tls.key"),
                ),
            ),
            id="mutual TLS",
        ),
        pytest.param(
            "{authz: '0.0.0.0:9191', insecure_plaintext: true}",
            Unusable("`server.authz` is `0.0.0.0:9191`", "say with `--authz` where Envoy reaches it"),
            id="every address",
        ),
        pytest.param(
            "{proc: '0.0.0.0:9192', insecure_plaintext: true}",
            Unusable("`server.proc` is `0.0.0.0:9192`", "say with `--proc` where Envoy reaches it"),
            id="every address of Process",
        ),
    ],
)
def test_check_is_where_the_file_says(tmp_path: Path, server: str, authz: Upstream | Unusable) -> None:
    written = f"server: {server}\n" if server.startswith("{") else f"server:\n  {server}\n"
    text = _example(SERVER, written)
    found = _sidecar(text, Placement(), tmp_path)
    assert (found.authz if isinstance(found, Gateway) else found) == authz


def test_process_is_where_the_file_says_with_the_certificates_of_check(tmp_path: Path) -> None:
    files = "tls: {cert_file: a, key_file: b, client_ca_file: c}"
    text = _example(SERVER, f"server: {{authz: '10.0.0.7:9191', proc: '10.0.0.7:9192', {files}}}\n")
    found = _sidecar(text, Placement(), tmp_path)
    assert isinstance(found, Gateway)
    assert found.proc == replace(found.authz, address=TcpAddress("10.0.0.7", 9192)) and found.proc.tls is not None


@pytest.mark.parametrize(
    ("server", "proc", "expected"),
    [
        pytest.param(
            "proc: unix:///run/agen/proc.sock",
            None,
            (UnixAddress("/run/agen/proc-2.sock"), UnixAddress("/run/agen/proc-3.sock")),
            id="sockets",
        ),
        pytest.param("proc: '[::1]:9192'", None, (TcpAddress("::1", 9193), TcpAddress("::1", 9194)), id="ports"),
        pytest.param(
            "{proc: '0.0.0.0:9192', insecure_plaintext: true}",
            Upstream(TcpAddress("sidecar.internal", 9300)),
            (TcpAddress("sidecar.internal", 9301), TcpAddress("sidecar.internal", 9302)),
            id="where the caller says",
        ),
        pytest.param(
            "proc: 127.0.0.1:9192",
            Upstream(TcpAddress("127.0.0.1", 65534)),
            Unusable("one of 3 workers would be at `127.0.0.1:65536`", "choose a lower port for Process"),
            id="beyond the last port",
        ),
    ],
)
def test_every_worker_that_inspects_is_where_it_listens(
    tmp_path: Path, server: str, proc: Upstream | None, expected: tuple[Address, ...] | Unusable
) -> None:
    inner = server[1:-1] if server.startswith("{") else server
    text = _example(SERVER, f"server: {{{inner}, filter_workers: 3}}\n")
    found = _sidecar(text, Placement(proc=proc), tmp_path)
    assert (found.more_proc if isinstance(found, Gateway) else found) == expected


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        pytest.param(
            Placement(upstreams={"crn": _upstream("crn"), "a": _upstream("a")}),
            Unusable("no resource is called `a`, `crn`", "use a resource's `name` before the `=`"),
            id="an upstream of nothing",
        ),
        pytest.param(
            Placement(admin=TcpAddress("0.0.0.0", 9901)),  # noqa: S104  what must not be
            Unusable("the admin interface may not listen on `0.0.0.0`", "use a loopback address or none"),
            id="admin beyond loopback",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, placement: Placement, expected: Unusable) -> None:
    assert _sidecar(_example(), placement, tmp_path) == expected


def test_the_off_word_comes_from_the_key(tmp_path: Path) -> None:
    expected = replace(EXPECTED, off_word="off-971cda967448b101")
    assert _sidecar(_example(), Placement(), tmp_path, b"k" * 32) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://mcp.example.com:443/crm/mcp",
        "https://mcp.example.com:8443/crm/mcp",
        "http://127.0.0.1:10000/crm/mcp",
        "http://localhost/crm/mcp",
        "http://[::1]:10000/crm/mcp",
        "https://mcp.example.com",
    ],
)
def test_envoy_routes_what_check_accepts(tmp_path: Path, url: str) -> None:
    file = tmp_path / "agen.yaml"
    file.write_text(_example("https://mcp.example.com/crm/mcp", url), encoding="utf-8")
    config = load(file, secrets=False, environ={}).config
    sidecar = from_config(config, None, Placement())
    assert isinstance(sidecar, Gateway)
    providers = {provider.name: build_provider(provider) for provider in config.providers}
    crm = build_resource(config, config.resources[0], providers)
    assert (sidecar.resources[0].authorities, sidecar.resources[0].path) == (crm.authorities, crm.path)


def test_address_that_is_given_has_the_servers_tls(tmp_path: Path) -> None:
    files = "tls: {cert_file: a, key_file: b, client_ca_file: c}"
    text = _example(SERVER, f"server: {{authz: '10.0.0.7:9191', proc: '10.0.0.7:9192', {files}}}\n")
    given = Upstream(TcpAddress("agen-authz.mcp.svc", 9191))
    found = _sidecar(text, Placement(authz=given, proc=Upstream(UnixAddress("/p.sock"))), tmp_path)
    assert isinstance(found, Gateway)
    assert found.authz.tls is not None and found.authz.tls.server_name == "agen-authz.mcp.svc"
    assert found.proc == Upstream(UnixAddress("/p.sock"))
