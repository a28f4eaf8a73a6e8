"""The configuration file as one frozen value: every section, and that they agree with each other."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Section, Word
from agen_authz.config.reading.unit import Share
from agen_authz.config.sections.access import Access, AccessRule, check_access
from agen_authz.config.sections.approvals import Approvals, check_approvals
from agen_authz.config.sections.audit import Audit, check_audit
from agen_authz.config.sections.console import Console, check_console
from agen_authz.config.sections.hooks import Hook, check_hooks
from agen_authz.config.sections.limits import Limits, check_limits
from agen_authz.config.sections.networks import check_networks
from agen_authz.config.sections.notifications import Notifications
from agen_authz.config.sections.policies import Policy, Tenant, check_policies
from agen_authz.config.sections.protection import MaskingKey, Protection, check_protection
from agen_authz.config.sections.providers import Claims, Jwks, NamePath, Provider, check_providers
from agen_authz.config.sections.resources import Resource, check_resources
from agen_authz.config.sections.revoked import RevokedEntries
from agen_authz.config.sections.server import Server, Tls, check_server
from agen_authz.config.sections.signing import Signing, check_signing
from agen_authz.config.sections.store import Store, check_store
from agen_authz.config.sections.telemetry import Telemetry, check_telemetry
from agen_authz.config.sections.tools import Tools

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
    "RevokedEntries",
    "Server",
    "Store",
    "Tls",
    "check_config",
]


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
    server: Server = Field(Server(), description="The addresses that the sidecar listens on, and its time limits.")
    limits: Limits = Field(Limits(), description="Limits of sizes, numbers and times.")
    trusted_proxies: Lines = Field(
        (),
        description="CIDRs of proxies whose x-forwarded-for is believed; the header is read from right to left,"
        " starting at the peer.",
    )
    country_header: Line | None = Field(
        None, description="The header that names the caller's country; it is believed only if a trusted proxy sends it."
    )
    networks: dict[Word, Lines] = Field(
        {}, description='Names of address ranges, for conditions such as "office" in request.networks.'
    )
    providers: tuple[Provider, ...] = Field(description="The identity providers whose tokens are accepted.")
    revoked: RevokedEntries = Field(
        RevokedEntries(),
        description="Keys, subjects and tokens that are refused immediately, whichever provider issued them.",
    )
    resources: tuple[Resource, ...] = Field(description="The MCP servers that Envoy routes to, one entry each.")
    access: Access = Field(description="Access rules: who may use what.")
    policies: tuple[Policy, ...] = Field((), description="Policies: calls that are denied, or that need more proof.")
    tenants: dict[Line, Tenant] | None = Field(
        None,
        description="Policies that single tenants add. If this section is present, every provider must map a tenant,"
        " and a"
        " caller without a tenant is denied.",
    )
    data_protection: tuple[Protection, ...] = Field((), description="Rules that mask sensitive values in responses.")
    unruled_sample: Share = Field(
        0.01, description="Share of responses no rule covers that are scanned and reported, never changed."
    )
    masking_keys: tuple[MaskingKey, ...] = Field(
        (),
        description="Keys of the styles hash and tokenize. The first one is used for new values; all of them are"
        " accepted.",
    )
    tools: Tools = Field(Tools(), description="Tool definitions and lists.")
    hooks: tuple[Hook, ...] = Field((), description="Your own services that are asked before a decision.")
    approvals: Approvals = Field(Approvals(), description="Calls that a person must approve.")
    notifications: Notifications = Field(Notifications(), description="How messages to people are sent.")
    console: Console | None = Field(None, description="Who may sign in to the approvers' pages.")
    signing: Signing = Field(Signing(), description="Signatures for backends (RFC 9421).")
    store: Store = Field(Store(), description="State that survives a restart.")
    audit: Audit = Field(Audit(), description="The audit events.")
    telemetry: Telemetry = Field(Telemetry(), description="OpenTelemetry traces.")
    end: bool | None = Field(
        None,
        description="`true` as the file's last line shows that it is whole: once a file has had this line, no file "
        "without it is loaded.",
    )


def check_config(findings: Findings, config: Config) -> None:
    """Check a valid configuration for what contradicts itself; total. Every finding has a cure."""
    known = _vocabulary_of(config)
    check_timeout = config.server.check_timeout
    check_server(findings, config.server)
    check_limits(findings, config.limits, check_timeout)
    check_networks(findings, config.trusted_proxies, config.country_header, config.networks)
    _check_end(findings, config.end)
    check_providers(findings, config.providers, has_tenants=config.tenants is not None)
    check_resources(findings, config.resources, config.providers)
    check_access(findings, config.access, known)
    flows = {flow.name for flow in config.approvals.flows}
    check_policies(findings, config.policies, config.tenants or {}, known, flows)
    check_protection(findings, config.data_protection, config.masking_keys, known)
    check_hooks(findings, config.hooks, known, check_timeout)
    check_approvals(findings, config.approvals, check_timeout, config.store)
    names = [provider.name for provider in config.providers]
    check_console(findings, config.console, names, config.approvals.base_url)
    check_signing(findings, config.signing, config.resources)
    check_store(findings, config.store)
    check_audit(findings, config.audit)
    check_telemetry(findings, config.telemetry)


def has_console(config: Config) -> bool:
    """True if people decide: the console serves, and messages and time-outs are looked after."""
    return config.console is not None or bool(config.approvals.flows)


def _vocabulary_of(config: Config) -> Vocabulary:
    return Vocabulary(
        resources=tuple(resource.name for resource in config.resources),
        claims=frozenset(
            key for provider in config.providers for key in Claims.model_fields if getattr(provider.claims, key)
        ),
        networks=frozenset(config.networks),
        has_country=config.country_header is not None,
        pins_tools=config.tools.pinning != "off",
    )


def _check_end(findings: Findings, end: bool | None) -> None:
    if findings.is_written(("end",)) and end is not True:
        findings.add(("end",), "`true` is all that it can be", "write `end: true` as the last line, or leave it out")
    elif end and not findings.is_last("end"):
        findings.add(("end",), "is not the last key of the file", "move it to the end: nothing may follow it")
