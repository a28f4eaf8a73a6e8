"""What a policy's refusal looks like on the wire, and what evidence it leaves."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.http.context import Perimeter
from agen_authz.core.model import Effect, State, TargetKind
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, compile_policies, environment
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen

TOOL = ((TargetKind.TOOL, "crm/get_*"),)


def policy(name: str, *when: str, then: Effect = Effect.DENY, state: State = State.ENFORCE, **more) -> Policy:
    compiled = [environment().compile(text) for text in when]
    conditions = tuple(each for each in compiled if isinstance(each, Condition))
    assert len(conditions) == len(when), compiled
    return Policy(name, state, then, TOOL, conditions, **more)


def rig(*policies: Policy, **changes) -> Rig:
    return Rig(policies=compile_policies(policies), **changes)


def told(seen: Seen) -> tuple[int, int | None, str | None]:
    return seen.status, seen.code, seen.told


def test_denied_call_is_answered_200_with_the_policys_sentence():
    seen = rig(policy("no", "args.id == 1", message="Not on Sundays.")).post(build.message())
    assert (told(seen), seen.json["error"]["message"]) == ((200, 40300, "policy_denied"), "Not on Sundays.")


def test_policy_that_cannot_be_evaluated_denies():
    assert told(rig(policy("no", "args.nosuch == 1")).post(build.message())) == (200, 40300, "policy_error")


def test_call_of_no_policy_passes():
    assert rig(policy("no", "args.id == 2")).post(build.message()).is_allowed


def test_body_is_bound_to_the_message():
    seen = rig(policy("no")).post(build.message(id="x-1"))
    assert seen.json["id"] == "x-1"


def test_event_says_which_condition_could_not_be_evaluated_and_why_without_a_value():
    used = rig(policy("no", "true", 'args.id == "x"'))
    assert told(used.post(build.message())) == (200, 40300, "policy_error")
    told_of = "condition 2: `args.id` is of another type than what it is compared with"
    (seen,) = used.audit.events[-1]["policies"]
    assert seen == {"name": "no", "effect": "deny", "state": "enforce", "outcome": "error", "cause": told_of}


@pytest.mark.parametrize(("state", "count"), [(State.SHADOW, 1), (State.ENFORCE, 1), (State.DISABLED, 0)])
def test_event_and_metric_know_what_applied(state, count):
    used = rig(policy("no", state=state))
    used.post(build.message())
    seen = [{"name": "no", "effect": "deny", "state": state.value, "outcome": "applies"}] * count
    assert used.audit.events[-1].get("policies", []) == seen
    assert [(each.policy, each.state) for each in used.metrics.matched] == [("no", state)] * count


def test_addresses_are_those_behind_trusted_proxies():
    perimeter = Perimeter((ip_network("192.0.2.1/32"),), None, {"office": (ip_network("10.0.0.0/8"),)})
    used = rig(policy("outside", '!("office" in request.networks)'), perimeter=perimeter)
    inside, outside = ({"x-forwarded-for": address} for address in ("10.1.2.3", "198.51.100.1"))
    assert used.post(build.message(), headers=inside).is_allowed
    assert told(used.post(build.message(), headers=outside)) == (200, 40300, "policy_denied")
    # Nobody vouches for an address: the condition cannot be evaluated.
    assert told(used.post(build.message(), headers={"x-forwarded-for": "unknown"})) == (200, 40300, "policy_error")


# ---- step-up -------------------------------------------------------------------------------------------------

METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp"'
DESCRIPTION = 'error_description="This call needs a stronger sign-in."'
SCOPES = 'scope="mcp:tools billing:payout"'
CHALLENGES = {
    "scope": (Demand(scope="billing:payout"), 403, f'{METADATA}, {SCOPES}, error="insufficient_scope"'),
    "scope by another word": (
        Demand(scope="payout", request_as="api://x/payout"),
        403,
        f'{METADATA}, scope="mcp:tools api://x/payout", error="insufficient_scope"',
    ),
    "scope and more": (
        Demand(("urn:mfa", "urn:hw"), ("hwk",), 900.0, "billing:payout"), 403,
        f'{METADATA}, {SCOPES}, acr_values="urn:mfa urn:hw", max_age="900", error="insufficient_scope"',
    ),
    "acr": (
        Demand(acr=("urn:mfa",)), 401,
        f'{METADATA}, scope="mcp:tools", acr_values="urn:mfa", error="insufficient_user_authentication"',
    ),
    "age": (
        Demand(max_age_s=60.0), 401,
        f'{METADATA}, scope="mcp:tools", max_age="60", error="insufficient_user_authentication"',
    ),
    "amr": (Demand(amr=("hwk",)), 401, f'{METADATA}, scope="mcp:tools", error="insufficient_user_authentication"'),
}  # fmt: skip


@pytest.mark.parametrize("name", CHALLENGES)
def test_stronger_token_is_asked_for_in_one_challenge(name):
    demand, status, expected = CHALLENGES[name]
    seen = rig(policy("up", then=Effect.STEP_UP, demand=demand)).post(build.message())
    assert told(seen) == (status, 40300, "step_up_required")
    assert seen.header("www-authenticate") == f"Bearer {expected}, {DESCRIPTION}"


def test_person_gets_what_to_do():
    demand = Demand(("urn:mfa",), None, 900.0, "billing:payout")
    seen = rig(policy("up", then=Effect.STEP_UP, demand=demand, message="Payouts need MFA.")).post(build.message())
    assert seen.json["error"]["message"] == (
        "Payouts need MFA. Sign in again with the scope billing:payout, the authentication urn:mfa, "
        "a sign-in of the last 900 seconds, then repeat the call."
    )


def test_challenge_names_what_is_met_too_so_that_no_login_loses_it():
    scope = policy("scope", then=Effect.STEP_UP, demand=Demand(scope="mcp:tools"), message="Needs the scope.")
    strong = policy(
        "strong", then=Effect.STEP_UP, demand=Demand(acr=("urn:mfa",), max_age_s=60.0), message="Needs MFA."
    )
    seen = rig(scope, strong).post(build.message())
    asked = dict(seen.headers)["www-authenticate"]
    assert told(seen) == (401, 40300, "step_up_required")
    assert all(part in asked for part in ('scope="mcp:tools"', 'acr_values="urn:mfa"', 'max_age="60"'))
    # What is not met is said first.
    assert seen.json["error"]["message"].startswith("Needs MFA.")


def test_person_without_a_hint_gets_that_another_way_is_needed():
    seen = rig(policy("up", then=Effect.STEP_UP, demand=Demand(amr=("hwk",)))).post(build.message())
    assert "Sign in again with another way to authenticate, then" in seen.json["error"]["message"]


def test_stronger_token_passes_until_it_ages():
    demand = Demand(("urn:mfa",), ("hwk",), 900.0, "billing:payout")
    used = rig(policy("up", then=Effect.STEP_UP, demand=demand))
    token = sign(
        claims(
            scope="mcp:tools billing:payout",
            acr="urn:mfa",
            amr=["pwd", "hwk"],
            auth_time=build.NOW - 900,
            exp=build.NOW + 9000,
        )
    )
    first = used.post(build.message(), token)
    used.clock.advance(31)
    second = used.post(build.message(), token)
    assert (first.is_allowed, told(second)) == (True, (401, 40300, "step_up_required"))
    assert used.audit.events[-1]["decision"] == "step_up"


def test_step_up_of_a_browser_is_readable_for_its_page():
    used = rig(policy("up", then=Effect.STEP_UP, demand=Demand(scope="x")))
    seen = used.post(build.message(), headers={"origin": build.ORIGIN})
    assert seen.header("access-control-allow-origin") == build.ORIGIN


def test_strangers_of_a_tenanted_resource_are_denied():
    used = Rig(resources=(replace(build.resource(), require_tenant=True),))
    assert told(used.post(build.message(), sign(claims(tenantId=None)))) == (401, 40100, "tenant_missing")


def test_elicitation_answers_of_another_type_are_malformed():
    params = {"name": "get_customer", "arguments": {}, "inputResponses": ["yes"]}
    assert told(Rig().post(build.message(params=params))) == (400, -32602, "params_malformed")


def test_elicitation_answers_of_a_resource_are_read_too():
    params = {"uri": "customer://1", "inputResponses": "yes"}
    assert told(Rig().post(build.message("resources/read", params))) == (400, -32602, "params_malformed")


# ---- claims of another type than they should have --------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "claim"),
    [
        ("user.email_verified", {"email_verified": "true"}),
        ("!user.email_verified", {"email_verified": "true"}),
        ('user.email == "a"', {"email": ["a"]}),
        ('user.country == "DE"', {"country": 49}),
        ('user.acr == "1"', {"acr": 1}),
        ('"pwd" in user.amr', {"amr": "pwd"}),
        ('"a" in user.groups', {"groups": {"a": 1}}),
        ('"a" in user.groups', {"_claim_names": {"groups": "src1"}}),
        ('!("a" in user.groups)', {"hasgroups": True}),
        ("user.auth_time < request.time", {"auth_time": "0"}),
    ],
)
def test_condition_on_a_claim_that_cannot_be_read_denies_and_no_other_call_is_refused(condition, claim):
    token = sign(claims(**claim))
    assert told(rig(policy("no", condition)).post(build.message(), token)) == (200, 40300, "policy_error")
    assert rig(policy("no", 'user.subject == "bob"')).post(build.message(), token).is_allowed


@pytest.mark.parametrize(
    "condition", ['"a" in user.groups', '!("a" in user.groups)', "user.email_verified", "!user.email_verified"]
)
def test_condition_on_a_claim_inside_one_that_is_no_object_denies(condition):
    paths = build.replace_claims(groups=(("profile", "groups"),), email_verified=(("profile", "verified"),))
    resource = build.resource(providers={build.ISSUER: build.provider(claims=paths)})
    token = sign(claims(profile="ann"))
    assert told(rig(policy("no", condition), resources=(resource,)).post(build.message(), token)) == (
        200, 40300, "policy_error",
    )  # fmt: skip
    assert rig(policy("no", 'user.subject == "bob"'), resources=(resource,)).post(build.message(), token).is_allowed


def test_token_whose_roles_are_inside_a_claim_that_is_no_object_is_refused():
    paths = build.replace_claims(roles=(("realm", "roles"), ("roles",)))
    resource = build.resource(providers={build.ISSUER: build.provider(claims=paths)})
    seen = Rig(resources=(resource,)).post(build.message(), sign(claims(realm="r")))
    assert (seen.is_allowed, seen.told) == (False, "token_claim")


@pytest.mark.parametrize(
    ("demand", "claim"),
    [
        (Demand(acr=("1",)), {"acr": 1}),
        (Demand(amr=("pwd",)), {"amr": "pwd"}),
        (Demand(max_age_s=600.0), {"auth_time": "1800000000"}),
        (Demand(max_age_s=600.0), {"auth_time": True}),
    ],
    ids=["acr", "amr", "auth_time", "auth_time of true"],
)
def test_step_up_is_not_met_by_a_claim_that_cannot_be_read(demand, claim):
    seen = rig(policy("more", then=Effect.STEP_UP, demand=demand)).post(build.message(), sign(claims(**claim)))
    assert (seen.is_allowed, seen.told) == (False, "step_up_required")


def test_step_up_of_a_provider_with_tenants_in_its_issuer_has_that_providers_leeway():
    template = "https://login.example.com/{tenantid}/v2.0"
    paths = build.replace_claims(tenant=(("tid",),))
    provider = build.provider(issuer=template, tenants=frozenset({"t1"}), claims=paths)
    resource = build.resource(providers={template: provider})
    token = sign(claims(iss=template.replace("{tenantid}", "t1"), tid="t1", auth_time=build.NOW - 620))
    fresh = policy("fresh", then=Effect.STEP_UP, demand=Demand(max_age_s=600.0))
    assert rig(fresh, resources=(resource,)).post(build.message(), token).is_allowed
