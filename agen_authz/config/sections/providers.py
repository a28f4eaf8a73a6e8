"""`providers`: whose tokens are accepted."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from pydantic import Field

from agen_authz.config.part.pointer import POINTER
from agen_authz.config.part.url import is_host, split_url
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Section, Word
from agen_authz.config.reading.tree import Path
from agen_authz.config.reading.unit import PositiveSeconds, Seconds
from agen_authz.core.authority import DEFAULT_PORTS
from agen_authz.core.http.loopback import is_loopback
from agen_authz.core.identity.jwk import ALGORITHMS
from agen_authz.core.model import ANY_TENANT, TENANT_CLAIM

# Words between dots; a JSON pointer is the other way to write a claim's path.
_DOTTED = re.compile(r"[^./]+(?:\.[^./]+)*")
_TENANT = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_METADATA = ("openid-configuration", "oauth-authorization-server")
_NOT_ACCESS = ("id-jag+jwt", "dpop+jwt", "logout+jwt")
ClaimPath: TypeAlias = Line | Lines


class NamePath(Section):
    """The claim with roles, permissions or groups, if it is neither a list nor one text."""

    path: ClaimPath = Field(description="A dotted path or JSON pointer, or several; the first that is present counts.")
    keys: bool = Field(
        False,
        description="True if the names are the keys of an object; keys with the value false or null are left out.",
    )


NamesPath: TypeAlias = ClaimPath | NamePath


class Jwks(Section):
    """How a provider's keys are fetched."""

    refresh: PositiveSeconds = Field(600.0, description="How often the keys are fetched again.")
    keep_stale: Seconds = Field(3600.0, description="How long the keys are kept while the provider is unavailable.")
    cooldown: PositiveSeconds = Field(30.0, description="How often unknown keys may cause a fetch, after four at once.")
    timeout: PositiveSeconds = Field(3.0, description="How long one fetch may take.")


class Claims(Section):
    """The claims that are read, as dotted paths or JSON pointers (RFC 6901); the first that is present counts."""

    subject: ClaimPath = Field("sub", description="The caller's identity at this provider.")
    roles: NamesPath = Field(
        "roles", description="A list of roles, or one text; `{path: roles, keys: true}` takes the keys of an object."
    )
    permissions: NamesPath = Field("permissions", description="Permissions, written as `roles` may be.")
    groups: NamesPath = Field("groups", description="Groups, written as `roles` may be.")
    email: ClaimPath = Field("email", description="The caller's e-mail address.")
    email_verified: ClaimPath = Field(
        "email_verified", description="The claim that is true if the provider verified the e-mail address."
    )
    client: ClaimPath = Field(("client_id", "azp"), description="The client that the token was issued to.")
    scopes: ClaimPath = Field(("scope", "scp"), description="A string of words, or a list.")
    tenant: ClaimPath | None = Field(None, description="The caller's tenant.")
    country: ClaimPath | None = Field(None, description="The caller's country.")


class Provider(Section):
    """An OpenID provider whose access tokens are accepted."""

    name: Word = Field(description="The provider's name in events and metrics.")
    issuer: Line = Field(
        description="`iss` of its tokens, and where OIDC discovery starts; https, and not on loopback. `{tenantid}` in"
        " its path stands for each of `tenants` (Entra): a token's `tid` must be listed and fit its `iss`."
    )
    insecure_issuer: bool = Field(False, description="Allows http on loopback: the demo and tests.")
    advertised_issuer: Line | None = Field(
        None, description="The issuer that the resource metadata shows, such as a custom domain; default: issuer."
    )
    jwks_uri: Line | None = Field(
        None,
        description="The URL of its keys; default: from OIDC discovery, or from RFC 8414 metadata if there is no"
        " discovery document.",
    )
    ca_file: Line | None = Field(
        None,
        description="Certificates (PEM): the only CAs trusted for its servers; default: the machine's trust store,"
        " which"
        " SSL_CERT_FILE replaces. HTTPS_PROXY and NO_PROXY are honoured, but never for loopback.",
    )
    algorithms: Lines = Field(("RS256", "ES256"), description="Signature algorithms; never none, never HS*.")
    token_types: Lines = Field(
        ("at+jwt", "JWT"),
        description="Accepted `typ` headers; `absent` may be listed. ID tokens are refused as ADR 0013 says.",
    )
    leeway: Seconds = Field(30.0, description="How far clocks may differ.")
    max_token_age: PositiveSeconds | None = Field(None, description="How old a token may be, measured from `iat`.")
    tenants: Lines | Literal["any"] | None = Field(
        None,
        description="Tenants that this provider may assert, or `any`. Required if a resource lists more than one"
        " provider.",
    )
    roles: Lines | Literal["any"] | None = Field(
        None,
        description="Roles and permissions that this provider may assert, or `any`. Required if a resource lists more"
        " than one provider.",
    )
    jwks: Jwks = Field(Jwks(), description="How the provider's keys are fetched.")
    claims: Claims = Field(Claims(), description="Which claims hold what is read.")


def check_providers(findings: Findings, providers: Sequence[Provider], *, has_tenants: bool) -> None:
    """Check providers one by one and against each other; each must map a tenant if the file `has_tenants`."""
    findings.refuse_empty(("providers",), providers, "at least one provider")
    findings.refuse_twins(("providers",), "name", (provider.name for provider in providers), "providers")
    seen: set[str] = set()
    for index, provider in enumerate(providers):
        path: Path = ("providers", index)
        _check_issuers(findings, path, provider)
        _check_tokens(findings, path, provider)
        _check_claims(findings, (*path, "claims"), provider.claims)
        _check_template(findings, path, provider)
        issuers = _issuers_of(provider)
        if not seen.isdisjoint(issuers):
            findings.add((*path, "issuer"), "two providers have this issuer", "keep one of them")
        seen |= issuers
        if has_tenants and provider.claims.tenant is None:
            findings.add((*path, "claims"), "`tenants` needs a tenant, and none is mapped", "map `claims.tenant`")


def _check_tokens(findings: Findings, path: Path, provider: Provider) -> None:
    for index, algorithm in enumerate(provider.algorithms):
        if algorithm not in ALGORITHMS:
            cure = "use " + ", ".join(sorted(ALGORITHMS))
            findings.add((*path, "algorithms", index), "not an algorithm that is accepted", cure)
    for index, kind in enumerate(provider.token_types):
        if kind.lower().endswith(_NOT_ACCESS):
            findings.add((*path, "token_types", index), "not a type of access token", "leave it out")
    for key in ("algorithms", "token_types", "tenants", "roles"):
        findings.refuse_empty((*path, key), getattr(provider, key), "at least one")


def _check_claims(findings: Findings, path: Path, claims: Claims) -> None:
    for key in Claims.model_fields:
        written = getattr(claims, key)
        if isinstance(written, NamePath):
            written = written.path
        findings.refuse_empty((*path, key), written, "at least one path")
        alternatives: Iterable[str] = (written,) if isinstance(written, str) else written or ()
        for claim in alternatives:
            if not (POINTER if claim.startswith("/") else _DOTTED).fullmatch(claim):
                cure = "write a.b, or a JSON pointer such as /https:~1~1example.com~1roles"
                findings.add((*path, key), "not the path of a claim", cure)


def _check_issuers(findings: Findings, path: Path, provider: Provider) -> None:
    for key in ("issuer", "advertised_issuer", "jwks_uri"):
        url = getattr(provider, key)
        if url is not None:
            written = url.replace(ANY_TENANT, "tenant") if key == "issuer" else url
            _check_url(findings, (*path, key), written, is_insecure=provider.insecure_issuer)
            if key != "jwks_uri":
                _check_metadata(findings, (*path, key), url)


def _issuers_of(provider: Provider) -> set[str]:
    tenants = provider.tenants if isinstance(provider.tenants, tuple) else (ANY_TENANT,)
    return {provider.issuer.replace(ANY_TENANT, tenant) for tenant in tenants}


def _check_template(findings: Findings, path: Path, provider: Provider) -> None:
    """Check what an issuer with `{tenantid}` needs: which tenants there are, and the claim that names them."""
    if ANY_TENANT not in provider.issuer:
        return
    parts = split_url(provider.issuer.replace(ANY_TENANT, "tenant"))
    if provider.issuer.count(ANY_TENANT) > 1 or (
        parts is not None and ANY_TENANT not in provider.issuer[8:].partition("/")[2]
    ):
        findings.add((*path, "issuer"), "`{tenantid}` is not once in its path", "write https://host/{tenantid}/v2.0")
    if not isinstance(provider.tenants, tuple):
        cure = "list them under `tenants`: anyone may open a tenant"
        findings.add((*path, "issuer"), "`{tenantid}` stands for tenants, and none is listed", cure)
    elif not all(map(_TENANT.fullmatch, provider.tenants)):
        findings.add(
            (*path, "tenants"), "a tenant cannot be written into the issuer", "use letters, digits and . _ ~ -"
        )
    if provider.claims.tenant not in (TENANT_CLAIM, (TENANT_CLAIM,)):
        cure = f"write `claims: {{tenant: {TENANT_CLAIM}}}`"
        findings.add((*path, "claims"), "`{tenantid}` in the issuer is not the tenant that is mapped", cure)
    if provider.advertised_issuer is None:
        cure = "add `advertised_issuer`, such as https://login.microsoftonline.com/organizations/v2.0"
        findings.add((*path, "issuer"), "clients cannot sign in at an issuer with `{tenantid}`", cure)


def _check_metadata(findings: Findings, path: Path, url: str) -> None:
    """Refuse the URL of a provider's metadata in place of its issuer (OpenID Connect Discovery 1.0, RFC 8414)."""
    before, mark, after = url.partition("/.well-known/")
    kind, _, rest = after.partition("/")
    if mark and kind in _METADATA:
        # RFC 8414 inserts its path between the host and the issuer's own.
        issuer = f"{before}/{rest}" if rest else before
        cure = f"write the `issuer` that is in it, which should be {issuer} or {issuer}/"
        findings.add(path, "the URL of the provider's metadata, not its issuer", cure)


def _check_url(findings: Findings, path: Path, url: str, *, is_insecure: bool) -> None:
    parts = split_url(url)
    # Keys may be looked up with a query; an issuer has none (OpenID Connect Discovery 1.0 section 3).
    has_tail = "#" in url or ("?" in url and path[-1] != "jwks_uri")
    # Names of containers have underscores; nothing is decided by this one.
    host = "" if parts is None or parts.hostname is None else parts.hostname.replace("_", "-")
    if parts is None or parts.scheme not in DEFAULT_PORTS or has_tail or not is_host(host):
        findings.add(path, "not a URL of a provider", "write https://host/path without query")
    elif "@" in parts.netloc:
        findings.add(path, "has a user in it", "write https://host/path")
    elif host.endswith(".localhost"):
        message = "a name below localhost: it means loopback, and a resolver may send it elsewhere"
        findings.add(path, message, "write localhost or 127.0.0.1")
    elif is_loopback(host):
        if not is_insecure:
            cure = "use its real address, or `insecure_issuer: true` in a demo"
            findings.add(path, "the issuer is on loopback", cure)
    elif parts.scheme != "https":
        findings.add(path, "the issuer is not https", "use https: `insecure_issuer` allows http on loopback only")
