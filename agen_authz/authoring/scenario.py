"""One call as an author writes it down, and what a draft decides about it.

The call is rendered as the request that a client would send and read by the very steps that Check takes, from
the claims on; only the token's signature is taken for granted.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import Field

from agen_authz.authoring.approved import judge_approved
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.entry import enter, know
from agen_authz.config.reading.section import Line, Section
from agen_authz.core.errors import Rejected
from agen_authz.core.header import look_at
from agen_authz.core.http.context import Perimeter, read_context
from agen_authz.core.identity.jws import UnverifiedToken
from agen_authz.core.identity.token import admit_principal, read_principal
from agen_authz.core.message.mcp import VERSION_KEY
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.message.version import MODERN_VERSIONS
from agen_authz.core.model import (
    ANY_TENANT,
    ApprovalStanding,
    Context,
    Decision,
    Effect,
    Facts,
    Json,
    Principal,
    Provider,
    Request,
    Resource,
    Revoked,
)
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.stage import Ended, Judged, Refused, read_call, refuse_token

_LIFETIME_S = 300


class CallText(Section):
    """What is called; one of tool, prompt and uri names it."""

    server: Line = Field(description="The resource's name in the configuration.")
    tool: Line | None = Field(None, description="The tool that is called.")
    prompt: Line | None = Field(None, description="The prompt that is asked for.")
    uri: Line | None = Field(None, description="The resource that is read.")
    method: Line | None = Field(None, description="Another method, such as tools/list.")
    args: dict[str, Any] = Field({}, description="The arguments.")
    inputs: dict[str, Any] | None = Field(None, description="Answers to elicitations.")
    annotations: dict[str, Any] | None = Field(None, description="What is approved of the tool's annotations.")


class RequestText(Section):
    """Where the call comes from, and when."""

    ip: Line | None = Field(None, description="The caller's address; unknown if it is absent.")
    country: Line | None = Field(None, description="The country that `country_header` names.")
    user_agent: Line | None = Field(None, description="What the client says it is.")
    time: datetime | Line | None = Field(None, description="When, in ISO 8601; absent: now.")


class Scenario(Section):
    """One call, by whom, from where."""

    call: CallText = Field(description="What is called.")
    claims: dict[str, Any] = Field({}, description="Claims of the token; iss, sub, aud and exp have defaults.")
    provider: Line | None = Field(None, description="Whose token it is; absent: the first provider of the resource.")
    request: RequestText = Field(RequestText(), description="Where from, and when.")
    approvals: dict[str, Literal["open", "granted", "rejected"]] = Field(
        {}, description="By policy, how its approval stands; the approvals of other policies are not asked for yet."
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """How a scenario ended, and the facts that it was decided on; None if it was refused before any were needed."""

    ended: Ended
    facts: Facts | None = None

    @property
    def decision(self) -> Decision:
        """What was decided."""
        return self.ended.decision

    def situations(self) -> list[Situation]:
        """List what policies were asked about: one situation for each target."""
        if not isinstance(self.ended, Judged) or self.facts is None:
            return []
        principal, call = self.ended.stage.known.principal, self.ended.stage.call
        return [Situation(principal, call, target, self.facts) for target in call.targets]


def decide_scenario(draft: Draft, scenario: Scenario, *, now: float) -> Decided:
    """Decide a scenario; ValueError if it names what the draft does not have, or does not hold a call."""
    resource = draft.rules.resources.get(scenario.call.server)
    if resource is None:
        raise ValueError(f"no resource is called `{scenario.call.server}`")
    now, standings = _time_of(scenario.request, now), _read_standings(draft, scenario)
    provider = _find_provider(draft, scenario, resource)
    principal = _identify(scenario.claims, provider, resource, now)
    request = _render_request(scenario, resource)
    routed = enter(draft.rules, request, resource)
    if isinstance(principal, Rejected):
        return Decided(refuse_token(routed, principal))
    read = read_call(know(routed, principal), _locate(scenario.request, request, draft.rules.perimeter))
    if isinstance(read, Refused):
        return Decided(read)
    facts = Facts(now, None, read.context, request.authority, annotations=_read_annotations(scenario.call))
    return Decided(judge_approved(read, facts, standings), facts)


def _read_standings(draft: Draft, scenario: Scenario) -> Mapping[str, ApprovalStanding]:
    for name in scenario.approvals:
        policy = draft.policies.get(name)
        if policy is None or policy.effect is not Effect.REQUIRE_APPROVAL:
            raise ValueError(f"no policy `{name}` asks for an approval")
    return {name: ApprovalStanding(standing) for name, standing in scenario.approvals.items()}


def _read_annotations(call: CallText) -> Mapping[str, Json] | None:
    if call.annotations is None:
        return None
    if call.tool is None:
        raise ValueError("`annotations` are of a tool, and the call names none")
    # As they come from a list: JSON, with nothing that only YAML has.
    read: dict[str, Json] = orjson.loads(_encode(call.annotations))
    return read


def _time_of(request: RequestText, now: float) -> float:
    when = request.time
    if when is None:
        return now
    try:
        moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    except ValueError:
        raise ValueError("`request.time` is not a time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _find_provider(draft: Draft, scenario: Scenario, resource: Resource) -> Provider:
    if scenario.provider is None:
        return next(iter(resource.providers.values()))
    provider = draft.providers.get(scenario.provider)
    if provider is None or provider.issuer not in resource.providers:
        raise ValueError(f"`{resource.name}` has no provider `{scenario.provider}`")
    return provider


def _identify(written: Mapping[str, Json], provider: Provider, resource: Resource, now: float) -> Principal | Rejected:
    _encode(written)
    tenant = written.get("tid", min(provider.tenants or ("",)))
    named: dict[str, Json] = {"tid": tenant} if ANY_TENANT in provider.issuer else {}
    claims: dict[str, Json] = {
        "iss": provider.issuer.replace(ANY_TENANT, str(tenant)), **named, "sub": "someone", "aud": resource.url,
        "exp": now + _LIFETIME_S, "iat": now, "scope": " ".join(resource.scopes), **written,
    }  # fmt: skip
    kind = min(provider.token_types)
    token = UnverifiedToken("draft", "none", kind, "", b"", b"")
    verified = read_principal(claims, token, provider)
    if isinstance(verified, Rejected):
        return verified
    return admit_principal(verified, provider, resource, revoked=Revoked(), now=now)


def _render_request(scenario: Scenario, resource: Resource) -> Request:
    call, version = scenario.call, max(MODERN_VERSIONS)
    method, params = _name_target(call)
    params = {"_meta": {VERSION_KEY: version, CAPABILITIES_KEY: {}}, **params}
    if call.inputs is not None:
        params["inputResponses"] = call.inputs
    body = _encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    headers = {"content-type": "application/json", "mcp-protocol-version": version, "mcp-method": method}
    name = params.get("uri" if method == "resources/read" else "name")
    if isinstance(name, str):
        # As clients do with what a header cannot hold (SEP-2243).
        is_plain = name.isascii() and name.isprintable() and name == name.strip() and not name.startswith("=?")
        headers["mcp-name"] = name if is_plain else f"=?base64?{b64encode(name.encode()).decode()}?="
    if scenario.request.user_agent is not None:
        headers["user-agent"] = scenario.request.user_agent
    return Request(
        method="POST",
        authority=min(resource.authorities),
        path=resource.path,
        headers=headers,
        names=look_at(tuple(headers)),
        repeated=frozenset(),
        raw_body=body,
        has_text_body=False,
        is_partial=False,
        peer=scenario.request.ip or "",
    )


def _encode(document: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(document, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise ValueError("the call or its claims hold what JSON cannot say") from exc


def _name_target(call: CallText) -> tuple[str, dict[str, Any]]:
    if call.tool is not None:
        return "tools/call", {"name": call.tool, "arguments": call.args}
    if call.prompt is not None:
        return "prompts/get", {"name": call.prompt, "arguments": call.args}
    if call.uri is not None:
        return "resources/read", {"uri": call.uri}
    if call.method is None:
        raise ValueError("the call names neither tool, prompt, uri nor method")
    return call.method, {}


def _locate(said: RequestText, request: Request, perimeter: Perimeter) -> Context:
    # The author says which address it is: no proxy has to report it.
    context = read_context(request, Perimeter(networks=perimeter.networks))
    if said.ip is not None and context.ip is None:
        raise ValueError("`request.ip` is not an address")
    return Context(context.ip, context.networks, said.country, context.user_agent)
