"""The way to a provider: certificates, proxies, its two kinds of metadata, and why it could not be reached."""

import socket
import ssl

import httpx
import pytest

from agen_authz.adapters.jwks.cause import describe_cause, show_url
from agen_authz.adapters.jwks.network import Network
from agen_authz.core.errors import Unavailable
from tests import builders as build
from tests.adapters.rig import asking, kid_of
from tests.adapters.web import DISCOVERY, JWKS, reply, running_proxy, running_web
from tests.certificates import YESTERDAY_THEN, issue

HOST = "idp.example.com"
OAUTH = "/.well-known/oauth-authorization-server"


def serving(tmp_path, identity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*identity.write(tmp_path, "server"))
    return context


@pytest.fixture
async def web():
    async with running_web() as running:
        running.publish(build.jwk(build.ec_key()))
        yield running


async def ask(asked):
    """Ask for the key; return its kid, or what operators read if it cannot be fetched."""
    try:
        return kid_of(await asked.source.fetch_key("idp", build.KID, "ES256"))
    except Unavailable:
        return asked.source.describe()["idp"].removeprefix("no keys yet: ")


# ---- certificates ------------------------------------------------------------------------------------------


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("trusted", "answer"),
    [
        pytest.param("ours", build.KID, id="the provider's own authority"),
        pytest.param("other", "certificate: unable to get local issuer certificate", id="another authority"),
        pytest.param(None, "certificate: ", id="the machine's trust store"),
    ],
)
async def test_provider_over_tls_is_believed_by_its_ca_file_alone(tmp_path, trusted, answer):
    authorities = {name: issue(name) for name in ("ours", "other")}
    async with running_web(serving(tmp_path, issue("idp", authorities["ours"]))) as web:
        web.publish(build.jwk(build.ec_key()))
        ca = None if trusted is None else authorities[trusted].pem.decode()
        async with asking(web, ca=ca) as asked:
            assert answer in await ask(asked)


@pytest.mark.loopback
async def test_expired_certificate_is_named(tmp_path):
    authority = issue("ours")
    expired = serving(tmp_path, issue("idp", authority, YESTERDAY_THEN))
    async with running_web(expired) as web, asking(web, ca=authority.pem.decode()) as asked:
        said = await ask(asked)
    assert said == f"{web.url}{DISCOVERY}: certificate: certificate has expired"


@pytest.mark.loopback
async def test_ssl_cert_file_replaces_the_trust_store(tmp_path, monkeypatch):
    authority = issue("ours")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with running_web(serving(tmp_path, issue("idp", authority))) as web:
        web.publish(build.jwk(build.ec_key()))
        async with asking(web) as asked:
            assert await ask(asked) == build.KID


# ---- proxies -----------------------------------------------------------------------------------------------


@pytest.mark.loopback
async def test_provider_is_asked_through_the_proxy_of_the_environment(tmp_path):
    authority = issue("ours")
    async with (
        running_web(serving(tmp_path, issue("idp", authority, host=HOST))) as web,
        running_proxy(web.port) as proxy,
    ):
        web.url = f"https://{HOST}"
        web.publish(build.jwk(build.ec_key()))
        async with asking(web, ca=authority.pem.decode(), proxies={"https": proxy.url}) as asked:
            assert await ask(asked) == build.KID
    assert set(proxy.asked) == {f"CONNECT {HOST}:443 HTTP/1.1"}


@pytest.mark.loopback
async def test_proxy_that_refuses_is_named_without_its_password(web):
    async with running_proxy(web.port) as proxy:
        proxy.status = "403 Not Here"
        address = proxy.url.removeprefix("http://")
        async with asking(web, issuer=f"https://{HOST}", proxies={"https": f"http://me:hush@{address}"}) as asked:
            said = await ask(asked)
    assert said == f"https://{HOST}{DISCOVERY}: the proxy refused: 403 Not Here, through the proxy {proxy.url}"


@pytest.mark.loopback
async def test_proxy_that_does_not_listen_is_named(web, unused_tcp_port):
    proxy = f"http://127.0.0.1:{unused_tcp_port}"
    async with asking(web, issuer=f"https://{HOST}", proxies={"https": proxy}) as asked:
        assert await ask(asked) == f"https://{HOST}{DISCOVERY}: connection refused, through the proxy {proxy}"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://", "http://[::1", "http://h:x", "http://h:0"])
async def test_proxy_that_cannot_be_used_is_named_by_its_variable(web, proxy):
    async with asking(web, issuer=f"https://{HOST}", proxies={"https": proxy}) as asked:
        assert "`HTTPS_PROXY` is not http://host:port" in await ask(asked)


PROXY = "http://proxy.example.com:3128"
WAYS = {
    "host without a proxy, and a user": (
        "https://u:p@idp.example.com/",
        {"https": "http://p:3128", "no": "idp.example.com"},
        None,
    ),
    "https": (f"https://{HOST}/", {"https": PROXY}, PROXY),
    "without a scheme": (f"https://{HOST}/", {"https": "proxy.example.com:3128"}, PROXY),
    "none": (f"https://{HOST}/", {}, None),
    "for http only": (f"https://{HOST}/", {"http": PROXY}, None),
    "loopback": ("https://127.0.0.1:8443/", {"https": PROXY}, None),
    "all of loopback": ("https://127.8.8.8/", {"https": PROXY}, None),
    "loopback in IPv6": ("https://[::1]:8443/", {"https": PROXY}, None),
    "localhost": ("https://localhost/", {"https": PROXY}, None),
    "http on loopback": ("http://127.0.0.1/", {"http": PROXY, "https": PROXY}, None),
    "excepted": (f"https://{HOST}/", {"https": PROXY, "no": f"other.example.com,{HOST}"}, None),
    "excepted by its domain": (f"https://{HOST}/", {"https": PROXY, "no": ".example.com"}, None),
    "excepted with its port": (f"https://{HOST}:8443/", {"https": PROXY, "no": f"{HOST}:8443"}, None),
    "all excepted": (f"https://{HOST}/", {"https": PROXY, "no": "*"}, None),
    "another excepted": (f"https://{HOST}/", {"https": PROXY, "no": "example.org"}, PROXY),
}


@pytest.mark.parametrize("name", WAYS)
def test_proxy_is_chosen_as_the_environment_says(name):
    url, proxies, expected = WAYS[name]
    assert Network(proxies).find_proxy(url) == expected


# ---- metadata ----------------------------------------------------------------------------------------------


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("path", "openid", "oauth"),
    [
        pytest.param("", DISCOVERY, OAUTH, id="plain"),
        pytest.param("/", DISCOVERY, OAUTH, id="slash"),
        pytest.param("/tenant/a", "/tenant/a" + DISCOVERY, OAUTH + "/tenant/a", id="path"),
        pytest.param("/tenant/a/", "/tenant/a" + DISCOVERY, OAUTH + "/tenant/a", id="path and slash"),
    ],
)
async def test_oauth_metadata_is_asked_where_openid_discovery_is_not(web, path, openid, oauth):
    web.replies = {JWKS: web.replies[JWKS]}
    web.discover(oauth, issuer=web.url + path)
    async with asking(web, issuer=web.url + path) as asked:
        assert await ask(asked) == build.KID
    assert dict(web.asked) == {openid: 1, oauth: 1, JWKS: 1}


@pytest.mark.loopback
async def test_oauth_metadata_must_name_the_issuer_exactly(web):
    del web.replies[DISCOVERY]
    web.discover(OAUTH, issuer=web.url + "/")
    async with asking(web) as asked:
        assert await ask(asked) == f"{web.url}{OAUTH}: the metadata names another issuer"


@pytest.mark.loopback
@pytest.mark.parametrize("status", ["500 Broken", "403 Forbidden", "302 Found"])
async def test_oauth_metadata_is_not_asked_where_openid_discovery_fails(web, status):
    web.discover(OAUTH)
    web.replies[DISCOVERY] = reply(b"", status)
    async with asking(web) as asked:
        assert await ask(asked) == f"{web.url}{DISCOVERY}: answered with status {status[:3]}"
    assert dict(web.asked) == {DISCOVERY: 1}


@pytest.mark.loopback
async def test_provider_without_any_metadata_is_described_by_both_urls(web):
    del web.replies[DISCOVERY]
    async with asking(web) as asked:
        assert await ask(asked) == f"{web.url}{OAUTH}: answered with status 404, as {web.url}{DISCOVERY} did"


# ---- why a provider cannot be reached ----------------------------------------------------------------------


@pytest.mark.loopback
async def test_provider_that_hangs_is_named_by_the_url_that_hangs(web):
    web.may_answer.clear()
    async with asking(web, timeout_s=0.05) as asked:
        assert await ask(asked) == f"{web.url}{DISCOVERY}: timeout: no answer within 0.05 s"


@pytest.mark.loopback
async def test_provider_that_does_not_listen_is_refused(web, unused_tcp_port):
    async with asking(web, jwks_uri=f"http://127.0.0.1:{unused_tcp_port}/keys?k=v") as asked:
        assert await ask(asked) == f"http://127.0.0.1:{unused_tcp_port}/keys: connection refused"


def wrapped(cause, kind=httpx.ConnectError):
    """Wrap an error as the client does: its own, from a plain one, from the cause."""
    middle = OSError("All connection attempts failed")
    middle.__cause__ = cause
    outer = kind("x")
    outer.__context__ = middle
    return outer


CAUSES = {
    "name": (socket.gaierror(-2, "Name or service not known"), "the name cannot be resolved"),
    "refused": (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
    "one of several": (
        ExceptionGroup("many", [OSError(101, "Network is unreachable"), ConnectionRefusedError()]),
        "connection refused",
    ),
    "reset": (ConnectionResetError(), "connection broken off"),
    "timeout": (TimeoutError(), "timeout"),
    "TLS": (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS: broken off"),
    "unreachable": (OSError(101, "Network is unreachable"), "Network is unreachable"),
    "nothing known": (None, "no connection"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause_is_said_in_words(name):
    cause, expected = CAUSES[name]
    assert describe_cause(wrapped(cause)) == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (httpx.ReadTimeout("x"), "timeout"),
        (httpx.RemoteProtocolError("x"), "not HTTP, or broken off"),
        (httpx.ProxyError("407 Who\nare you" + "?" * 500), ("the proxy refused: 407 Who?are you" + "?" * 500)[:120]),
        (httpx.InvalidURL("x"), "InvalidURL"),
    ],
    ids=["timeout", "protocol", "proxy", "other"],
)
def test_cause_is_bounded_and_one_line(fault, expected):
    assert describe_cause(fault) == expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hush@idp.example.com:8443/a/b?secret=hush#x", "https://idp.example.com:8443/a/b"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://idp.example.com:x/", "a URL that cannot be read"),
        ("https://[::1", "a URL that cannot be read"),
        ("https://h/" + "a" * 500, "https://h/" + "a" * 110),
    ],
)
def test_url_is_shown_without_its_secrets(url, shown):
    assert show_url(url) == shown
