"""The way to a provider: which certificates are trusted, and through which proxy a request goes.

1. A provider's `ca_file` alone is trusted for it; else the machine's trust store, which `SSL_CERT_FILE` may replace.
2. `HTTPS_PROXY` is used for https, unless `NO_PROXY` names the host. A loopback address is never asked through a proxy.
3. Nothing is kept between requests but connections: no cookies, no credentials of the machine.
"""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

import httpx

from agen_authz.core.http.loopback import is_loopback

_READ_TIMEOUT_S = 30.0


class Network:
    """Makes one HTTP client for each way, when it is first needed.

    `proxies` maps `https` to a proxy and `no` to the hosts that are asked without one, as the environment has them.
    """

    def __init__(self, proxies: Mapping[str, str]) -> None:
        self._proxies = dict(proxies)
        self._clients: dict[tuple[str | None, str | None, bool], httpx.AsyncClient] = {}

    async def close(self) -> None:
        """End every connection."""
        for client in self._clients.values():
            await client.aclose()

    def find_proxy(self, url: str) -> str | None:
        """Find the proxy for a URL; None if it is asked directly."""
        parts = urlsplit(url)
        proxy = self._proxies.get("https")
        if not proxy or parts.scheme != "https" or is_loopback(parts.hostname or ""):
            return None
        if proxy_bypass_environment(parts.netloc.rpartition("@")[2], self._proxies):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def client_for(self, url: str, ca: str | None) -> httpx.AsyncClient:
        """Return the client for a URL.

        Args:
            url: what will be asked.
            ca: PEM certificates that alone are trusted; None for the machine's.

        Raises:
            ValueError: `HTTPS_PROXY` is not the URL of an HTTP proxy.
        """
        proxy, is_tls = self.find_proxy(url), urlsplit(url).scheme == "https"
        way = (ca if is_tls else None, proxy, is_tls)
        if way not in self._clients:
            self._clients[way] = _make_client(*way)
        return self._clients[way]


def _make_client(ca: str | None, proxy: str | None, is_tls: bool) -> httpx.AsyncClient:
    # Each fetch is bounded as a whole: httpx bounds single reads only.
    return httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        timeout=_READ_TIMEOUT_S,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        # Plain HTTP needs no certificates, and reading the machine's takes a while.
        verify=_trust(ca) if is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        proxy=None if proxy is None else _read_proxy(proxy),
    )


def _read_proxy(proxy: str) -> httpx.Proxy:
    parts = urlsplit(proxy)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("not the URL of an HTTP proxy")
    return httpx.Proxy(proxy, ssl_context=_trust(None) if parts.scheme == "https" else None)


def _trust(ca: str | None) -> ssl.SSLContext:
    if ca is not None:
        return ssl.create_default_context(cadata=ca)
    places = ssl.get_default_verify_paths()
    if not any((places.cafile, places.capath)):
        # A machine without a trust store: the certificates that the library brings.
        return httpx.create_ssl_context(trust_env=False)
    return ssl.create_default_context()
