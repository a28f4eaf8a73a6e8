"""The configuration file as one frozen value: every key, its default and what it means."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agen_authz.config.access import Access, AccessRule, Hook, Policy, Protection, Tenant, Tools
from agen_authz.config.flow import Approvals, Audit, Console, Count, Notifications, Signing, Store, Telemetry
from agen_authz.config.identity import Claims, Jwks, NamePath, Provider, Resource, RevokedEntries
from agen_authz.config.section import Line, Lines, Section, Word
from agen_authz.config.unit import Bytes, PositiveSeconds, Share

__all__ = [
    "AccessRule",
    "Claims",
    "Config",
    "Jwks",
    "Limits",
    "NamePath",
    "Policy",
    "Provider",
    "Resource",
    "Server",
    "Tls",
]


class Tls(Section):
    """Mutual TLS of a gRPC listener; PEM files."""

    cert_file: Line = Field(description="The server's certificate and its chain.")
    key_file: Line = Field(description="Its private key.")
    client_ca_file: Line = Field(description="Who signs the certificates of clients.")


class Server(Section):
    """What listens, and how long it may take."""

    authz: Line = Field(
        "127.0.0.1:9191",
        description="Check; host:port, or unix:///path (mode 0660), which keeps other processes of the machine away.",
    )
    proc: Line = Field("127.0.0.1:9192", description="Process; host:port, or unix:///path (mode 0660).")
    ops: Line = Field("127.0.0.1:9464", description="/metrics, /livez, /readyz; details only to loopback.")
    console: Line = Field("127.0.0.1:8080", description="The approvers' pages; host:port.")
    engine: Literal["auto", "native", "grpcio"] = Field(
        "auto", description="Which gRPC server answers Check; auto is native on loopback and sockets without TLS."
    )
    tls: Tls | None = Field(None, description="Needed by a gRPC address that is neither loopback nor a Unix socket,")
    insecure_plaintext: bool = Field(False, description="or this, where a mesh encrypts.")
    check_timeout: PositiveSeconds = Field(
        1.0, description="What Envoy is given for Check; holds, hooks and store calls must fit in it."
    )
    shutdown_grace: PositiveSeconds = Field(20.0, description="How long calls in flight may take at the end.")
    metadata_key_file: Line | None = Field(
        None, description="Authenticates what Check tells Process; default: random per process, no good for replicas."
    )
    insecure_accept_text_bodies: bool = Field(
        False, description="Accepts bodies of an Envoy without pack_as_bytes, which replaces bytes it cannot show."
    )


class Limits(Section):
    """Bounds of everything that could grow."""

    request_bytes: Bytes = Field(1 << 20, description="The largest request body.")
    response_bytes: Bytes = Field(4 << 20, description="The largest response body that is inspected.")
    json_depth: Annotated[int, Field(ge=1, le=200)] = Field(64, description="How deep JSON may be nested.")
    json_values: Count = Field(
        50_000,
        description="How many values the JSON of one body may hold, by its commas and opening brackets: unparsed.",
    )
    in_flight: Count = Field(
        1024, description="Checks that may wait to be decided, and as many for a provider's keys; more are refused."
    )
    token_cache: Count = Field(20_000, description="Verified tokens that are remembered.")
    token_cache_bytes: Bytes = Field(
        64 << 20, description="About how many bytes they may take; expired ones leave first."
    )
    sessions: Count = Field(
        100_000, description="Bound task ids and sessions that are remembered; whoever holds most makes room."
    )
    store_timeout: PositiveSeconds = Field(0.25, description="How long one call of the store may take.")


class MaskingKey(Section):
    """A key that values are hashed or tokenized with."""

    id: Word = Field(description="The key's name.")
    secret_file: Line = Field(description="At least 32 bytes.")


def _refuse_bool(written: object) -> object:
    # `true == 1` in Python, and so for pydantic's Literal.
    if isinstance(written, bool):
        raise ValueError("expected 1")
    return written


class Config(Section):
    """Every key that agen-authz reads."""

    version: Annotated[Literal[1], BeforeValidator(_refuse_bool)] = Field(
        description="The version of this file's format."
    )
    server: Server = Field(Server(), description="What listens.")
    limits: Limits = Field(Limits(), description="Bounds.")
    trusted_proxies: Lines = Field(
        (), description="CIDRs whose x-forwarded-for is believed, from the peer, right to left."
    )
    country_header: Line | None = Field(
        None, description="A header that names the caller's country, believed from trusted proxies only."
    )
    networks: dict[Word, Lines] = Field({}, description='Names for conditions: "office" in request.networks.')
    providers: tuple[Provider, ...] = Field(description="Whose tokens are accepted.")
    revoked: RevokedEntries = Field(RevokedEntries(), description="What is refused at once, of every provider.")
    resources: tuple[Resource, ...] = Field(description="One per MCP server that Envoy routes to.")
    access: Access = Field(description="Least privilege.")
    policies: tuple[Policy, ...] = Field((), description="What is denied or asks for more.")
    tenants: dict[Line, Tenant] | None = Field(
        None, description="What tenants add; with it every provider maps a tenant, and a caller without one is denied."
    )
    data_protection: tuple[Protection, ...] = Field((), description="What is masked in what comes back.")
    unruled_sample: Share = Field(
        0.01, description="Share of responses no rule covers that are scanned and reported, never changed."
    )
    masking_keys: tuple[MaskingKey, ...] = Field(
        (), description="Keys of hash and tokenize; the first writes, all read."
    )
    tools: Tools = Field(Tools(), description="Tool definitions and lists.")
    hooks: tuple[Hook, ...] = Field((), description="Questions to servers of one's own.")
    approvals: Approvals = Field(Approvals(), description="Calls that a person must approve.")
    notifications: Notifications = Field(Notifications(), description="How people are written to.")
    console: Console | None = Field(None, description="Who may sign in to the approvers' pages.")
    signing: Signing = Field(Signing(), description="Signatures for backends (RFC 9421).")
    store: Store = Field(Store(), description="State that survives a restart.")
    audit: Audit = Field(Audit(), description="Evidence.")
    telemetry: Telemetry = Field(Telemetry(), description="Traces.")
    end: bool | None = Field(
        None,
        description="`true` as the file's last line shows that it is whole: once a file has had this line, no file "
        "without it is loaded.",
    )
