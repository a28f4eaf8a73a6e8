"""`providers`, `revoked` and `resources` of the configuration file."""

from typing import Literal, TypeAlias

from pydantic import Field

from agen_authz.config.scope import Scope
from agen_authz.config.section import Line, Lines, Section, Word
from agen_authz.config.unit import PositiveSeconds, Seconds

ClaimPath: TypeAlias = Line | Lines


class NamePath(Section):
    """Where roles, permissions or groups are, if they are not simply a list or one text."""

    path: ClaimPath = Field(description="A dotted path or JSON pointer, or several; the first that is there.")
    keys: bool = Field(
        False, description="The names are the keys of the object there, except keys that are false or null."
    )


NamesPath: TypeAlias = ClaimPath | NamePath


class Jwks(Section):
    """How a provider's keys are fetched."""

    refresh: PositiveSeconds = Field(600.0, description="How often they are fetched anew.")
    keep_stale: Seconds = Field(3600.0, description="How long they are kept while the provider is down.")
    cooldown: PositiveSeconds = Field(30.0, description="How often unknown keys may cause a fetch, after four at once.")
    timeout: PositiveSeconds = Field(3.0, description="How long one fetch may take.")


class Claims(Section):
    """Where a provider keeps what is read: dotted paths, or JSON pointers (RFC 6901); the first that is there."""

    subject: ClaimPath = Field("sub", description="The caller's identity at this provider.")
    roles: NamesPath = Field(
        "roles", description="A list of roles, or one text; `{path: roles, keys: true}` takes the keys of an object."
    )
    permissions: NamesPath = Field("permissions", description="Permissions, written as `roles` may be.")
    groups: NamesPath = Field("groups", description="Groups, written as `roles` may be.")
    email: ClaimPath = Field("email", description="The caller's e-mail address.")
    email_verified: ClaimPath = Field("email_verified", description="Whether the provider has verified it.")
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
        None, description="What the resource metadata shows, such as a custom domain; default: issuer."
    )
    jwks_uri: Line | None = Field(
        None, description="Where its keys are; default: from OIDC discovery, or RFC 8414 metadata if there is none."
    )
    ca_file: Line | None = Field(
        None,
        description="Certificates (PEM) that alone vouch for its servers; default: the machine's trust store, which"
        " SSL_CERT_FILE replaces. HTTPS_PROXY and NO_PROXY are honoured, but never for loopback.",
    )
    algorithms: Lines = Field(("RS256", "ES256"), description="Signature algorithms; never none, never HS*.")
    token_types: Lines = Field(
        ("at+jwt", "JWT"),
        description="Accepted `typ` headers; `absent` may be listed. ID tokens are refused as ADR 0013 says.",
    )
    leeway: Seconds = Field(30.0, description="How far clocks may differ.")
    max_token_age: PositiveSeconds | None = Field(None, description="How old a token may be, since `iat`.")
    tenants: Lines | Literal["any"] | None = Field(
        None, description="Tenants it may speak for, or any; to be said where a resource has two providers."
    )
    roles: Lines | Literal["any"] | None = Field(
        None, description="Roles and permissions it may assert, or any; to be said as `tenants` is."
    )
    jwks: Jwks = Field(Jwks(), description="How its keys are fetched.")
    claims: Claims = Field(Claims(), description="Where its claims are.")


class RevokedEntries(Section):
    """What is refused at once, of every provider."""

    kids: Lines = Field((), description="Key ids.")
    subjects: Lines = Field((), description="Subjects.")
    jti: Lines = Field((), description="Token ids.")


class SigningKey(Section):
    """A key that requests to one backend are signed with."""

    id: Word = Field(description="`keyid` of the signature.")
    secret_file: Line = Field(description="At least 32 bytes; one trailing newline is not part of the key.")


class Resource(Section):
    """One MCP server that Envoy routes to."""

    name: Word = Field(description="The server's name in rules, metrics and events.")
    url: Line = Field(
        description="What users configure: audience, metadata, host and exact path to match. The host may be written "
        "with the scheme's own port, and no path is the same as `/` (RFC 3986 section 6.2.3)."
    )
    providers: Lines = Field(description="Whose tokens are accepted.")
    audiences: Lines = Field(
        (), description="Audiences accepted besides url; a token must then be told from an ID token (ADR 0013)."
    )
    clients: Lines | None = Field(None, description="Client ids that may call; default: any.")
    require_tenant: bool = Field(False, description="Whether a token must name a tenant.")
    scopes: tuple[Scope, ...] = Field(
        (),
        description="Scopes needed on every call, and shown in the metadata; `{name, request_as}` if clients must ask"
        " for another word than the token holds.",
    )
    origins: Lines = Field(
        (), description="Accepted Origin headers, answered by CORS; a request without Origin passes."
    )
    unmapped: Literal["deny", "authenticated"] = Field("deny", description="Targets that no access rule names.")
    methods: dict[Line, Literal["allow", "deny"]] = Field(
        {},
        description="Methods that name no target, `*/list`, `notifications/*`, and `response` (what legacy clients post"
        " as answers). By default initialize, ping, server/discover, */list, notifications/*, logging/setLevel and"
        " response are allowed; all else is denied.",
    )
    resumable: bool = Field(
        False, description="Whether Last-Event-ID passes: only where event ids are bound to their session."
    )
    forward_token: bool = Field(False, description="Whether the caller's token reaches the backend.")
    forward_headers: Lines = Field((), description="Request headers passed on besides MCP's own.")
    upstream_path: Line | None = Field(
        None, description="What the backend sees where Envoy rewrites it; default: the url's path."
    )
    signing_keys: tuple[SigningKey, ...] | None = Field(
        None, description="The first signs, all verify; a key belongs to one resource."
    )
    insecure_unsigned: bool = Field(False, description="A resource without signing keys needs this.")
