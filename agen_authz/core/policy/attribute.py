"""What conditions may read: every variable with its type, its meaning, and where its value comes from.

A value that is not there (a claim that the token does not have, an address that no trusted proxy reported) is left out,
so that a condition that reads it cannot be evaluated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import Struct, field

from agen_authz.core.cel.condition import CelType
from agen_authz.core.model import Call, Facts, Principal, Target, TargetKind
from agen_authz.core.policy.work import Work


class Situation(Struct, frozen=True):
    """One target of one call, with all that conditions may read; `work` is shared by the targets of one decision."""

    principal: Principal
    call: Call
    target: Target
    facts: Facts
    work: Work = field(default_factory=Work)


def _always(_: Situation) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Attribute:
    """One variable.

    Args:
        read: gives its value; None if there is none.
        claim: the key of `providers[].claims` that must be mapped somewhere, or conditions could never read it.
        may_hold_nul: whether its value may contain a NUL, which callers or providers choose; else it is not
            searched for one.
    """

    name: str
    kind: CelType
    meaning: str
    read: Callable[[Situation], object]
    claim: str | None = None
    may_hold_nul: Callable[[Situation], bool] = _always


def _list(texts: tuple[str, ...] | None) -> list[str] | None:
    return None if texts is None else list(texts)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_USER = (
    Attribute("user.issuer", CelType.STRING, "The issuer of the token (`iss`).", lambda s: s.principal.issuer),
    Attribute("user.subject", CelType.STRING, "The caller's identifier at the issuer (`sub`).",
        lambda s: s.principal.subject),
    Attribute("user.email", CelType.STRING, "The caller's e-mail address.",
        lambda s: s.principal.email or None, "email"),
    Attribute(
        "user.email_verified", CelType.BOOL, "True if the issuer verified the e-mail address.",
        lambda s: s.principal.email_verified
    ),
    Attribute("user.tenant", CelType.STRING, "The caller's tenant.", lambda s: s.principal.tenant or None, "tenant"),
    Attribute("user.client", CelType.STRING, "The OAuth client that the token was issued to.",
        lambda s: s.principal.client or None, "client"),
    Attribute("user.roles", CelType.STRINGS, "The caller's roles.", lambda s: list(s.principal.roles), "roles"),
    Attribute(
        "user.permissions", CelType.STRINGS, "The caller's permissions.",
        lambda s: list(s.principal.permissions), "permissions",
    ),
    Attribute("user.groups", CelType.STRINGS, "The caller's groups.", lambda s: _list(s.principal.groups), "groups"),
    Attribute("user.scopes", CelType.STRINGS, "The token's scopes.", lambda s: list(s.principal.scopes), "scopes"),
    Attribute("user.country", CelType.STRING, "The caller's country.",
        lambda s: s.principal.country or None, "country"),
    Attribute("user.acr", CelType.STRING, "The authentication context (`acr`).", lambda s: s.principal.acr or None),
    Attribute(
        "user.amr", CelType.STRINGS, "The authentication methods (`amr`).", lambda s: _list(s.principal.amr)
    ),
    Attribute(
        "user.auth_time", CelType.TIMESTAMP, "The time at which the caller authenticated.",
        lambda s: _moment(s.principal.auth_time)
    ),
    Attribute("user.claims", CelType.OBJECT, "Every verified claim, unchanged.", lambda s: s.principal.claims),
)  # fmt: skip
_TOOL = (
    Attribute("tool.kind", CelType.STRING, "`tool`, `resource` or `prompt`.", lambda s: s.target.kind.value),
    Attribute("tool.server", CelType.STRING, "The resource's name in the configuration.", lambda s: s.target.server),
    Attribute(
        "tool.name",
        CelType.STRING,
        "The name of the tool or prompt, or the URI of the resource as the client sent it.",
        lambda s: s.target.name,
    ),
    Attribute(
        "tool.annotations",
        CelType.OBJECT,
        "The annotations of the tool's approved definition, such as `readOnlyHint` and `destructiveHint`.",
        lambda s: s.facts.annotations if s.target.kind is TargetKind.TOOL else None,
    ),
)
_ARGUMENTS = (
    Attribute(
        "args",
        CelType.OBJECT,
        "The arguments of the call.",
        lambda s: s.call.arguments or {},
        may_hold_nul=lambda s: s.call.may_hold_nul,
    ),
    Attribute(
        "inputs",
        CelType.OBJECT,
        "Answers to elicitations (`inputResponses`).",
        lambda s: s.call.inputs or {},
        may_hold_nul=lambda s: s.call.may_hold_nul,
    ),
    Attribute(
        "detected",
        CelType.STRINGS,
        "Ids of the detectors that found something in the call's arguments or in answers to elicitations.",
        lambda s: s.work.detect(s.call.arguments, s.call.inputs),
        may_hold_nul=lambda _: False,
    ),
)
_REQUEST = (
    Attribute("request.method", CelType.STRING, "The MCP method, such as `tools/call`.", lambda s: s.call.method),
    Attribute(
        "request.ip", CelType.STRING, "The caller's address behind `trusted_proxies`.", lambda s: s.facts.context.ip
    ),
    Attribute(
        "request.networks", CelType.STRINGS, "Names of the `networks` that hold the address.",
        lambda s: None if s.facts.context.ip is None else list(s.facts.context.networks),
        may_hold_nul=lambda _: False,
    ),
    Attribute(
        "request.country", CelType.STRING, "The country that `country_header` names.", lambda s: s.facts.context.country
    ),
    Attribute(
        "request.user_agent", CelType.STRING, "The client's `user-agent` header.",
        lambda s: s.facts.context.user_agent or None,
    ),
    Attribute("request.host", CelType.STRING, "The authority of the request.", lambda s: s.facts.host or None),
    Attribute("request.time", CelType.TIMESTAMP, "Now.", lambda s: _moment(s.facts.now)),
    Attribute("request.mcp_version", CelType.STRING, "The version of MCP that the request uses.",
        lambda s: s.call.version),
)  # fmt: skip
ATTRIBUTES: dict[str, Attribute] = {each.name: each for each in (*_USER, *_TOOL, *_ARGUMENTS, *_REQUEST)}
VARIABLES: dict[str, CelType] = {name: each.kind for name, each in ATTRIBUTES.items()}
