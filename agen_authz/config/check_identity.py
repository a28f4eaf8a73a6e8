"""Cross-checks of `providers` and `resources`."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from agen_authz.config.finding import Findings
from agen_authz.config.identity import Provider, Resource
from agen_authz.config.tree import Path
from agen_authz.core.jwk import ALGORITHMS
from agen_authz.core.method import names_target
from agen_authz.core.route import WELL_KNOWN

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\]")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+|/|")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+")
_METHOD = re.compile(r"[A-Za-z0-9_/.$-]{1,128}|\*/list|notifications/\*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,128}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Signed, set or removed by us, or what decides where a request goes.
_NEVER_FORWARDED = ("agen-", "authorization", "connection", "cookie", "host", "proxy-", "signature", "x-envoy-")


def check_providers(findings: Findings) -> None:
    """Check providers one by one and against each other."""
    providers = findings.config.providers
    findings.refuse_empty(("providers",), providers, "at least one provider")
    findings.refuse_twins(("providers",), "name", (provider.name for provider in providers), "providers")
    seen: set[str] = set()
    for index, provider in enumerate(providers):
        path: Path = ("providers", index)
        _check_provider(findings, path, provider)
        if provider.issuer in seen:
            findings.add((*path, "issuer"), "two providers have this issuer", "keep one of them")
        seen.add(provider.issuer)
        if findings.config.tenants is not None and provider.claims.tenant is None:
            findings.add((*path, "claims"), "`tenants` needs a tenant, and none is mapped", "map `claims.tenant`")


def _check_provider(findings: Findings, path: Path, provider: Provider) -> None:
    for key in ("issuer", "advertised_issuer", "jwks_uri"):
        url = getattr(provider, key)
        if url is not None:
            _check_issuer_url(findings, (*path, key), url, is_insecure=provider.insecure_issuer)
    _check_tokens(findings, path, provider)
    jwks = provider.jwks
    if min(jwks.refresh, jwks.cooldown, jwks.timeout) <= 0 or jwks.keep_stale < 0:
        findings.add((*path, "jwks"), "a duration is zero", "give durations such as 30s")


def _check_tokens(findings: Findings, path: Path, provider: Provider) -> None:
    for index, algorithm in enumerate(provider.algorithms):
        if algorithm not in ALGORITHMS:
            cure = "use " + ", ".join(sorted(ALGORITHMS))
            findings.add((*path, "algorithms", index), "not an algorithm that is accepted", cure)
    for index, kind in enumerate(provider.token_types):
        if kind.lower().endswith(("id-jag+jwt", "dpop+jwt", "logout+jwt")):
            findings.add((*path, "token_types", index), "not a type of access token", "leave it out")
    for key in ("algorithms", "token_types", "tenants", "roles"):
        findings.refuse_empty((*path, key), getattr(provider, key), "at least one")


def _check_issuer_url(findings: Findings, path: Path, url: str, *, is_insecure: bool) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment:
        findings.add(path, "not a URL of a provider", "write https://host/path without query")
    elif parts.username is not None or parts.password is not None:
        findings.add(path, "has a user in it", "write https://host/path")
    elif is_loopback_host(parts.hostname):
        if not is_insecure:
            findings.add(
                path, "the issuer is on loopback", "use its real address, or `insecure_issuer: true` in a demo"
            )
    elif parts.scheme != "https":
        findings.add(path, "the issuer is not https", "use https: `insecure_issuer` allows http on loopback only")


def is_loopback_host(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if url.isascii() and url.isprintable() and " " not in url else None


def check_resources(findings: Findings) -> None:
    """Check resources one by one and against each other."""
    resources = findings.config.resources
    findings.refuse_empty(("resources",), resources, "at least one resource")
    findings.refuse_twins(("resources",), "name", (resource.name for resource in resources), "resources")
    places: dict[tuple[str, int | None, str], str] = {}
    keys: dict[str, str] = {}
    for index, resource in enumerate(resources):
        path: Path = ("resources", index)
        place = _check_url(findings, (*path, "url"), resource.url)
        if place is not None and places.setdefault(place, resource.name) != resource.name:
            findings.add((*path, "url"), f"`{places[place]}` has the same url", "give each resource a path of its own")
        _check_providers_of(findings, path, resource)
        _check_lists(findings, path, resource)
        _check_keys(findings, path, resource, keys)


def _check_url(findings: Findings, path: Path, url: str) -> tuple[str, int | None, str] | None:
    parts = _split(url)
    host = "" if parts is None else parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or "#" in url:
        findings.add(
            path, "not the URL of a resource", "write https://host/path: lower-case host, no user, no fragment"
        )
        return None
    segments = parts.path.split("/")
    if not _PATH.fullmatch(parts.path) or "." in segments or ".." in segments:
        findings.add(path, "the path is not canonical", "no escapes, empty or dot segments, or slash at the end")
        return None
    if parts.path.startswith(WELL_KNOWN):
        findings.add(path, "the path is where metadata is", "choose a path outside of /.well-known")
        return None
    if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        findings.add(path, "http is for loopback only", "use https; TLS may end before Envoy")
        return None
    # A resource's query does not make it another place: the path alone finds it.
    return host, parts.port or _DEFAULT_PORTS[parts.scheme], parts.path or "/"


def _check_providers_of(findings: Findings, path: Path, resource: Resource) -> None:
    by_name = {provider.name: provider for provider in findings.config.providers}
    findings.refuse_empty((*path, "providers"), resource.providers, "at least one provider")
    for index, name in enumerate(resource.providers):
        provider = by_name.get(name)
        if provider is None:
            cure = "name one of " + ", ".join(f"`{known}`" for known in by_name)
            findings.add((*path, "providers", index), f"unknown provider `{name}`", cure)
            continue
        if resource.require_tenant and provider.claims.tenant is None:
            message = f"a tenant is required, and provider `{name}` maps none"
            findings.add((*path, "require_tenant"), message, "map `claims.tenant` of the provider")
        if len(set(resource.providers)) > 1:
            for key in ("tenants", "roles"):
                if getattr(provider, key) is None:
                    message = f"one of two providers, `{name}`, leaves `{key}` unsaid"
                    findings.add((*path, "providers", index), message, f"give it a list of `{key}`, or the word any")


def _check_lists(findings: Findings, path: Path, resource: Resource) -> None:
    findings.refuse_empty((*path, "clients"), resource.clients, "at least one client")
    for index, scope in enumerate(resource.scopes):
        if not _SCOPE.fullmatch(scope):
            findings.add(
                (*path, "scopes", index), "not a scope (RFC 6749 section 3.3)", "write one word without quotes"
            )
    for index, origin in enumerate(resource.origins):
        if not _ORIGIN.fullmatch(origin) or origin != origin.lower():
            findings.add((*path, "origins", index), "not an origin", "write scheme://host[:port] in lower case, no `*`")
    _check_methods(findings, (*path, "methods"), resource)
    _check_upstream(findings, path, resource)


def _check_methods(findings: Findings, path: Path, resource: Resource) -> None:
    for method in resource.methods:
        if method.startswith("tasks/") or names_target(method):
            findings.add((*path, method), "this method names a target", "decide on it with access rules")
        elif not _METHOD.fullmatch(method):
            findings.add((*path, method), "not a method", "write a method, `*/list` or `notifications/*`")


def _check_upstream(findings: Findings, path: Path, resource: Resource) -> None:
    for index, header in enumerate(resource.forward_headers):
        if not _HEADER.fullmatch(header) or "_" in header or header.lower().startswith(_NEVER_FORWARDED):
            findings.add((*path, "forward_headers", index), "this header cannot be forwarded", "leave it out")
    if resource.upstream_path is not None and not re.fullmatch(r"/[\x21\x22\x24-\x7e]*", resource.upstream_path):
        findings.add((*path, "upstream_path"), "not a path", "write what the backend sees, such as /mcp")


def _check_keys(findings: Findings, path: Path, resource: Resource, owners: dict[str, str]) -> None:
    signing = resource.signing_keys
    if signing is None:
        if not resource.insecure_unsigned:
            cure = "add `signing_keys`, or `insecure_unsigned: true` if the backend cannot verify"
            findings.add(path, f"requests to `{resource.name}` would not be signed", cure)
        return
    findings.refuse_empty((*path, "signing_keys"), signing, "at least one key")
    if resource.insecure_unsigned:
        findings.add((*path, "insecure_unsigned"), "there are signing keys as well", "keep one of the two")
    findings.refuse_twins((*path, "signing_keys"), "id", (key.id for key in signing), "keys")
    for index, key in enumerate(signing):
        for named in (f"id {key.id}", f"file {key.secret_file}"):
            owner = owners.setdefault(named, resource.name)
            if owner != resource.name:
                message = f"the key is one of `{owner}` as well"
                findings.add((*path, "signing_keys", index), message, "generate a key of its own for each resource")
