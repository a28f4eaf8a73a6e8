"""`resources`: one for each MCP server that Envoy routes to."""

import re
from collections.abc import Mapping, Sequence
from posixpath import normpath
from typing import Literal

from pydantic import Field

from agen_authz.config.part.authority import authorities_of
from agen_authz.config.part.scope import Scope, check_scope
from agen_authz.config.part.url import is_host, split_url
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Section, Word
from agen_authz.config.reading.tree import Path
from agen_authz.config.sections.providers import Provider
from agen_authz.core.authority import DEFAULT_PORTS
from agen_authz.core.header import is_field_name
from agen_authz.core.http.loopback import is_loopback
from agen_authz.core.http.route import WELL_KNOWN
from agen_authz.core.message.method import names_target

_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+|/|")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+")
_METHOD = re.compile(r"[A-Za-z0-9_/.$-]{1,128}|\*/list|notifications/\*")
_MAX_HEADER_CHARS = 128
_UPSTREAM = re.compile(r"/[\x21\x22\x24-\x3e\x40-\x7e]*")  # no `?` and no `#`
# Signed, set or removed by us, hop by hop, or what makes some backends see another method or path.
_NEVER_FORWARDED = frozenset({
    "authorization", "connection", "content-digest", "cookie", "host", "keep-alive", "signature", "signature-input",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
_NEVER_FORWARDED_PREFIXES = (
    "agen-",
    "proxy-",
    "x-envoy-",
    "x-http-method",
    "x-method-override",
    "x-original-",
    "x-rewrite-",
)
# Who verifies `@authority` behind Envoy cannot see the scheme, and leaves 443 and 80 out.
_OTHER_PORTS = {"https": DEFAULT_PORTS["http"], "http": DEFAULT_PORTS["https"]}
_OWN_KEY = "generate a separate key for each resource"


class SigningKey(Section):
    """A key that requests to one backend are signed with."""

    id: Word = Field(description="The `keyid` of the signature.")
    secret_file: Line = Field(
        description="The file with the key: at least 32 bytes. One newline at the end is not part of the key."
    )


class Resource(Section):
    """One MCP server that Envoy routes to."""

    name: Word = Field(description="The server's name in rules, metrics and events.")
    url: Line = Field(
        description="The URL that users configure. It is the audience, is shown in the metadata, and host and path"
        " must match it exactly. The host may be written "
        "with the scheme's own port, and no path is the same as `/` (RFC 3986 section 6.2.3)."
    )
    providers: Lines = Field(description="The identity providers whose tokens are accepted.")
    audiences: Lines = Field(
        (),
        description="Audiences that are accepted besides url. A token for one of them must differ from an ID token"
        " (ADR 0013).",
    )
    clients: Lines | None = Field(None, description="Client ids that may call; default: any.")
    require_tenant: bool = Field(False, description="True if a token must name a tenant.")
    scopes: tuple[Scope, ...] = Field(
        (),
        description="Scopes that every call needs and the metadata shows; `{name, request_as}` if clients must ask"
        " under another name than the token has.",
    )
    origins: Lines = Field(
        (), description="Accepted Origin headers, which are answered by CORS; a request without Origin is accepted."
    )
    unmapped: Literal["deny", "authenticated"] = Field(
        "deny", description="What happens to targets that no access rule names."
    )
    methods: dict[Line, Literal["allow", "deny"]] = Field(
        {},
        description="Methods that name no target, `*/list`, `notifications/*`, and `response` (what legacy clients post"
        " as answers). By default initialize, ping, server/discover, */list, notifications/*, logging/setLevel and"
        " response are allowed; all else is denied.",
    )
    resumable: bool = Field(
        False,
        description="True if Last-Event-ID is forwarded. Set it only if the server binds event ids to their session.",
    )
    forward_token: bool = Field(False, description="True if the caller's token is forwarded to the backend.")
    forward_headers: Lines = Field((), description="Request headers passed on besides MCP's own.")
    upstream_path: Line | None = Field(
        None, description="The path that the backend sees, if Envoy rewrites it; default: the url's path."
    )
    signing_keys: tuple[SigningKey, ...] | None = Field(
        None,
        description="Keys for signatures. The first one signs; backends verify with any of them. A key belongs to one"
        " resource.",
    )
    insecure_unsigned: bool = Field(
        False,
        description="Must be true if the resource has no `signing_keys`: then the backend cannot verify who decided a"
        " request.",
    )


def check_resources(findings: Findings, resources: Sequence[Resource], providers: Sequence[Provider]) -> None:
    """Check resources one by one and against each other."""
    findings.refuse_empty(("resources",), resources, "at least one resource")
    findings.refuse_twins(("resources",), "name", (resource.name for resource in resources), "resources")
    places: dict[tuple[str, str], int] = {}
    keys: dict[str, str] = {}
    by_name = {provider.name: provider for provider in providers}
    for index, resource in enumerate(resources):
        path: Path = ("resources", index)
        for place in sorted(_check_url(findings, (*path, "url"), resource.url)):
            owner = places.setdefault(place, index)
            if owner != index:
                message = f"`{resources[owner].name}` has the same url"
                findings.add((*path, "url"), message, "give each resource its own path")
                break
        _check_providers_of(findings, path, resource, by_name)
        _check_lists(findings, path, resource)
        _check_methods(findings, (*path, "methods"), resource)
        _check_upstream(findings, path, resource)
        _check_keys(findings, path, resource, keys)


def _check_url(findings: Findings, path: Path, url: str) -> set[tuple[str, str]]:
    """Check a url; return every (authority, path) that names it: a query does not make it another place."""
    parts = split_url(url)
    written = "" if parts is None else parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    host = written[1:-1] if written.startswith("[") else written
    if parts is None or parts.scheme not in DEFAULT_PORTS or "#" in url or not is_host(host):
        cure = "write https://host/path: lower-case host, no user, no fragment"
        findings.add(path, "not the URL of a resource", cure)
    elif not _PATH.fullmatch(parts.path) or not {".", ".."}.isdisjoint(parts.path.split("/")):
        findings.add(path, "the path is not canonical", "no escapes, empty or dot segments, or slash at the end")
    elif parts.path.startswith(WELL_KNOWN):
        findings.add(path, "the path is where metadata is", "choose a path outside of /.well-known")
    elif "?" in url and (not parts.query or "'" in parts.query):
        cure = "leave the question mark out if nothing follows it; clients write %27 for an apostrophe"
        findings.add(path, "no client would send this query", cure)
    elif parts.port == _OTHER_PORTS[parts.scheme]:
        cure = "choose another port, or the scheme that it belongs to"
        findings.add(path, f"port {parts.port} is not the one of {parts.scheme}", cure)
    elif parts.scheme != "https" and not is_loopback(host):
        findings.add(path, "http is for loopback only", "use https; TLS may end before Envoy")
    else:
        return {(authority, parts.path or "/") for authority in authorities_of(parts)}
    return set()


def _check_providers_of(findings: Findings, path: Path, resource: Resource, by_name: Mapping[str, Provider]) -> None:
    findings.refuse_empty((*path, "providers"), resource.providers, "at least one provider")
    leans_on: tuple[Path, ...] = (("providers",),)
    for index, name in enumerate(resource.providers):
        here, provider = (*path, "providers", index), by_name.get(name)
        if name in resource.providers[:index]:
            findings.add(here, f"provider `{name}` is listed twice", "keep one of the two")
        elif provider is None:
            cure = "name one of " + ", ".join(f"`{known}`" for known in by_name)
            findings.add(here, f"unknown provider `{name}`", cure, leans_on=leans_on)
        elif resource.require_tenant and provider.claims.tenant is None:
            message = f"a tenant is required, and provider `{name}` maps none"
            findings.add((*path, "require_tenant"), message, "map `claims.tenant` of the provider", leans_on=leans_on)
        if provider is not None and len(set(resource.providers)) > 1:
            for key in ("tenants", "roles"):
                if getattr(provider, key) is None:
                    message = f"one of two providers, `{name}`, leaves `{key}` unsaid"
                    cure = f"give it a list of `{key}`, or the word any"
                    findings.add(here, message, cure, leans_on=leans_on)


def _check_lists(findings: Findings, path: Path, resource: Resource) -> None:
    findings.refuse_empty((*path, "clients"), resource.clients, "at least one client")
    for index, scope in enumerate(resource.scopes):
        check_scope(findings, (*path, "scopes", index), scope)
    for index, origin in enumerate(resource.origins):
        if not _is_origin(origin):
            cure = "write scheme://host[:port] in lower case, no default port, no `*`"
            findings.add((*path, "origins", index), "not an origin", cure)


def _is_origin(origin: str) -> bool:
    """True if a browser would send this origin (RFC 6454 section 6.2); it leaves the default port out."""
    parts = split_url(origin)
    if parts is None or not _ORIGIN.fullmatch(origin) or origin != origin.lower():
        return False
    default = DEFAULT_PORTS.get(parts.scheme)
    return default is None or (is_host(parts.hostname or "") and parts.port != default)


def _check_methods(findings: Findings, path: Path, resource: Resource) -> None:
    for method in resource.methods:
        if method.startswith("tasks/") or names_target(method):
            findings.add((*path, method), "this method names a target", "decide on it with access rules")
        elif not _METHOD.fullmatch(method):
            findings.add((*path, method), "not a method", "write a method, `*/list` or `notifications/*`")


def _check_upstream(findings: Findings, path: Path, resource: Resource) -> None:
    for index, header in enumerate(resource.forward_headers):
        name = header.lower()
        is_ours = name in _NEVER_FORWARDED or name.startswith(_NEVER_FORWARDED_PREFIXES)
        # In lower case, a letter beyond ASCII may be one of ASCII.
        is_name = header.isascii() and len(name) <= _MAX_HEADER_CHARS and is_field_name(name)
        if is_ours or not is_name:
            findings.add((*path, "forward_headers", index), "this header cannot be forwarded", "leave it out")
    if resource.upstream_path is not None and not _UPSTREAM.fullmatch(resource.upstream_path):
        findings.add(
            (*path, "upstream_path"),
            "not a path without query and fragment",
            "write what the backend sees, such as /mcp",
        )


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
        for field, named in (("id", f"id {key.id}"), ("secret_file", f"file {normpath(key.secret_file)}")):
            owner = owners.setdefault(named, resource.name)
            if owner != resource.name:
                findings.add((*path, "signing_keys", index, field), f"the key is one of `{owner}` as well", _OWN_KEY)
