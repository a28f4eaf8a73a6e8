"""The configuration file as one frozen value: every key, its default and what it means."""

from typing import Annotated, Literal

from pydantic import Field

from agen_authz.config.access import Access, AccessRule, Hook, Policy, Protection, Tenant, Tools
from agen_authz.config.flow import Approvals, Audit, Console, Count, Notifications, Signing, Store, Telemetry
from agen_authz.config.identity import Claims, Jwks, Provider, Resource, RevokedEntries
from agen_authz.config.section import Section, Word
from agen_authz.config.unit import Bytes, Seconds, Share

__all__ = ["AccessRule", "Claims", "Config", "Jwks", "Limits", "Policy", "Provider", "Resource", "Server", "Tls"]


class Tls(Section):
    """Mutual TLS of a gRPC listener; PEM files."""

    cert_file: str = Field(description="The server's certificate and its chain.")
    key_file: str = Field(description="Its private key.")
    client_ca_file: str = Field(description="Who signs the certificates of clients.")


class Server(Section):
    """What listens."""

    authz: str = Field("127.0.0.1:9191", description="Check; host:port or unix:///path (mode 0660).")
    proc: str = Field("127.0.0.1:9192", description="Process; host:port or unix:///path.")
    ops: str = Field("127.0.0.1:9464", description="/metrics, /livez, /readyz; details only to loopback.")
    console: str = Field("127.0.0.1:8080", description="The approvers' pages.")
    engine: Literal["auto", "native", "grpcio"] = Field("auto", description="Which gRPC server answers Check.")
    tls: Tls | None = Field(None, description="Needed by a gRPC address that is neither loopback nor a socket.")
    insecure_plaintext: bool = Field(False, description="Or this, where a mesh encrypts.")
    check_timeout: Seconds = Field(1.0, description="What Envoy is given for Check.")
    shutdown_grace: Seconds = Field(20.0, description="How long calls in flight may take at the end.")
    metadata_key_file: str | None = Field(None, description="Authenticates what Check tells Process.")
    insecure_accept_text_bodies: bool = Field(False, description="Accepts bodies that Envoy turned into text.")


class Limits(Section):
    """Bounds."""

    request_bytes: Bytes = Field(1 << 20, description="The largest request body.")
    response_bytes: Bytes = Field(4 << 20, description="The largest response body that is inspected.")
    json_depth: Annotated[int, Field(ge=1, le=200)] = Field(64, description="How deep JSON may be nested.")
    in_flight: Count = Field(1024, description="More Checks than this at once are refused.")
    token_cache: Count = Field(20_000, description="Verified tokens that are remembered.")
    sessions: Count = Field(100_000, description="Sessions that are remembered.")
    store_timeout: Seconds = Field(0.25, description="How long the store may take.")


class Config(Section):
    """Every key that agen-authz reads."""

    version: Literal[1] = Field(description="The version of this file's format.")
    server: Server = Field(Server(), description="What listens.")
    limits: Limits = Field(Limits(), description="Bounds.")
    trusted_proxies: tuple[str, ...] = Field((), description="CIDRs whose x-forwarded-for is believed.")
    country_header: str | None = Field(None, description="A header that names the caller's country.")
    networks: dict[Word, tuple[str, ...]] = Field({}, description="Names for ranges of addresses.")
    providers: tuple[Provider, ...] = Field(description="Whose tokens are accepted.")
    revoked: RevokedEntries = Field(RevokedEntries(), description="What is refused at once.")
    resources: tuple[Resource, ...] = Field(description="The MCP servers behind Envoy.")
    access: Access = Field(description="Least privilege.")
    policies: tuple[Policy, ...] = Field((), description="What is denied or asks for more.")
    tenants: dict[str, Tenant] | None = Field(None, description="What tenants add.")
    data_protection: tuple[Protection, ...] = Field((), description="What is masked.")
    unruled_sample: Share = Field(0.01, description="Share of other responses that is scanned.")
    masking_keys: tuple["MaskingKey", ...] = Field((), description="Keys of hash and tokenize.")
    tools: Tools = Field(Tools(), description="Tool definitions and lists.")
    hooks: tuple[Hook, ...] = Field((), description="Questions to services of one's own.")
    approvals: Approvals = Field(Approvals(), description="Calls that a person must approve.")
    notifications: Notifications = Field(Notifications(), description="How people are written to.")
    console: Console | None = Field(None, description="The approvers' pages.")
    signing: Signing = Field(Signing(), description="Signatures for backends.")
    store: Store = Field(Store(), description="State that survives a restart.")
    audit: Audit = Field(Audit(), description="Evidence.")
    telemetry: Telemetry = Field(Telemetry(), description="Traces.")


class MaskingKey(Section):
    """A key that values are hashed or tokenized with."""

    id: Word = Field(description="The key's name.")
    secret_file: str = Field(description="At least 32 bytes.")


Config.model_rebuild()
