"""Where the check of arguments is among what decides a call, and what client and event get of a refusal."""

from typing import Any

import pytest

from agen_authz.core.arguments.approved import ApprovedSchemas
from agen_authz.core.arguments.schema import compile_schema
from agen_authz.core.decide import decide
from agen_authz.core.model import Allow, Call, Deny, Effect, Facts, Mirrored, State, Step
from agen_authz.core.policy.table import Policy, compile_policies
from agen_authz.core.reason import REFUSALS, Reason
from tests import builders as build
from tests.rules import build_rules

NUMBER = {"properties": {"id": {"type": "integer"}}, "additionalProperties": False}
EVERY_CALL = Policy("no", State.ENFORCE, Effect.DENY, (), ())


def decided(schema: Any, call: Call, *policies: Policy, **principal: Any) -> Allow | Deny:
    rules = build_rules([build.resource()], policies=compile_policies(policies))
    facts = Facts(build.NOW, fit=ApprovedSchemas((compile_schema(schema),)))
    found = decide(call, build.principal(**principal), facts, rules)
    assert isinstance(found, Allow | Deny)
    return found


def ask(arguments: dict[str, Any], headers: dict[str, str] | None = None, name: str = "get_customer") -> Call:
    mirrored = None if headers is None else Mirrored(headers, arguments)
    return build.call("tools/call", build.tool(name), arguments=arguments, mirrored=mirrored)


def test_call_that_fits_is_allowed():
    assert isinstance(decided(NUMBER, ask({"id": 1})), Allow)


def test_client_and_event_get_place_and_keyword():
    found = decided(NUMBER, ask({"id": "secret"}))
    assert isinstance(found, Deny)
    place = "/params/arguments/id (type)"
    assert found.message == f"The arguments do not fit the tool's schema: {place}."
    assert (found.reason, found.why[-1]) == (
        Reason.INVALID_ARGUMENTS, Step("arguments", "invalid_arguments", place),
    )  # fmt: skip
    assert (found.target, found.matched) == (build.tool(), ())


def test_refusal_is_that_of_a_tool():
    assert (REFUSALS[Reason.INVALID_ARGUMENTS].status, REFUSALS[Reason.INVALID_ARGUMENTS].code) == (200, -32602)


def test_client_does_not_get_what_is_wrong_with_a_schema():
    found = decided({"type": "objekt"}, ask({}))
    assert isinstance(found, Deny)
    assert (found.reason, found.message) == (Reason.SCHEMA_UNUSABLE, None)
    assert found.why[-1] == Step("arguments", "schema_unusable", "`type` has a value that JSON Schema does not allow")


def test_access_is_asked_first():
    found = decided(NUMBER, ask({"id": "a"}, name="delete_customer"))
    assert isinstance(found, Deny) and found.reason is Reason.NOT_GRANTED


def test_policies_are_asked_last():
    reasons = [decided(NUMBER, ask({"id": each}), EVERY_CALL).reason for each in ("a", 1)]
    assert reasons == [Reason.INVALID_ARGUMENTS, Reason.POLICY_DENIED]


@pytest.mark.parametrize(("headers", "detail"), [({"mcp-param-id": "2"}, "mcp-param-*"), ({"mcp-param-id": "1"}, None)])
def test_headers_are_compared_with_and_without_a_schema(headers, detail):
    for found in (
        decided(NUMBER, ask({"id": 1}, headers)),
        decide(ask({"id": 1}, headers), build.principal(), Facts(build.NOW), build_rules([build.resource()])),
    ):
        assert isinstance(found, Allow if detail is None else Deny)
        if isinstance(found, Deny):
            assert (found.reason, found.why[-1]) == (Reason.HEADER_MISMATCH, Step("header", "mismatch", detail or ""))


def test_other_methods_have_no_arguments_of_a_tool():
    rules = build_rules([build.resource()])
    facts = Facts(build.NOW, fit=ApprovedSchemas(()))
    assert isinstance(decide(build.call("tools/list"), build.principal(), facts, rules), Allow)
