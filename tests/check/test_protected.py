"""What Check says of data protection: which rules a response is masked by, and which responses are sampled."""

from dataclasses import replace
from typing import Any

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.model import Effect, State, TargetKind
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.wire.sealed import open_inspection
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen
from tests.fakes import SeqEntropy

CRM = (TargetKind.TOOL, "crm/get_*")
SESSION = {"mcp-session-id": build.session()}


def policy(name: str, *when: str, then: Effect = Effect.MASK, state: State = State.ENFORCE) -> Policy:
    conditions = [environment().compile(text) for text in when]
    return Policy(name, state, then, (CRM,), tuple(each for each in conditions if isinstance(each, Condition)))


def told(seen: Seen) -> Any:
    assert seen.is_allowed
    return open_inspection(seen.sealed, b"m" * 32) if seen.sealed else None


def stream(rig: Rig, method: str = "GET") -> Seen:
    headers = build.headers_for(sign(claims()), None) | SESSION
    return rig.check(build.check_request(headers, b"", method=method))


@pytest.mark.parametrize("write", [build.message, build.modern], ids=["legacy", "modern"])
def test_call_that_a_rule_covers_is_inspected_under_its_rules(write):
    rig = Rig(protections=(policy("a"), policy("no", "false"), policy("b", state=State.SHADOW)))
    inspection = told(rig.post(write(params={"name": "get_customer"})))
    assert (inspection.protections, inspection.is_sampled) == (("a", "b"), False)
    assert told(rig.post(write("prompts/get", {"name": "summarize"}))) is None


def test_event_of_a_call_names_its_rules():
    rig = Rig(protections=(policy("a"), policy("b", state=State.SHADOW)))
    rig.post(build.message())
    steps = [each for each in rig.audit.events[-1]["why"] if each["check"] == "data_protection"]
    assert [(each["outcome"], each["rule"]) for each in steps] == [("enforce", "a"), ("shadow", "b")]


def test_every_answer_of_a_server_with_a_rule_is_inspected():
    rig = Rig(protections=(policy("a"),))
    asked = [build.message(method, {}) for method in ("tools/list", "resources/list", "prompts/list")]
    asked.append(build.message("logging/setLevel", {"level": "info"}))
    asked.append(build.message("ping", {}))
    note, answer = {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}
    posted = [rig.post(each, headers=SESSION) for each in (note, answer)]
    seen = [*map(rig.post, asked), *posted, stream(rig), stream(rig, "DELETE")]
    assert [told(each).protections for each in seen] == [("a",)] * 9


def test_call_on_a_server_without_a_rule_is_not_inspected():
    rig = Rig(protections=(Policy("other", State.ENFORCE, Effect.MASK, ((TargetKind.TOOL, "billing/*"),)),))
    assert [rig.post(build.message(each, {})).sealed for each in ("tools/list", "resources/list")] == ["", ""]
    assert rig.post(build.message()).sealed == ""


def test_backend_is_not_asked_to_compress_what_is_masked():
    seen = Rig(protections=(policy("a"),)).post(build.message(), headers={"accept-encoding": "gzip"})
    assert "accept-encoding" in seen.removed


# ---- sampling --------------------------------------------------------------------------------------------------


class Drawing(SeqEntropy):
    """Random values that have one byte again and again."""

    def __init__(self, byte: bytes) -> None:
        super().__init__()
        self.byte = byte

    def draw(self, size_bytes: int) -> bytes:
        return self.byte * size_bytes


@pytest.mark.parametrize(
    ("share", "byte", "is_sampled"),
    [(0.0, b"\x00", False), (0.01, b"\x00", True), (0.01, b"\x02", True), (0.01, b"\x03", False), (0.5, b"\x7f", True),
     (0.5, b"\x80", False), (1.0, b"\xff", True)],
)  # fmt: skip
def test_share_of_the_calls_that_nothing_inspects_is_sampled(share, byte, is_sampled):
    inspection = told(Rig(unruled_sample=share, entropy=Drawing(byte)).post(build.message()))
    assert (inspection is not None) is is_sampled
    if inspection is not None:
        assert (inspection.is_sampled, inspection.protections, inspection.target) == (True, (), build.tool())


@pytest.mark.parametrize("changes", [{}, {"headers": SESSION | {"accept-encoding": "gzip"}}], ids=["plain", "session"])
def test_nothing_but_the_metadata_of_a_sampled_call_differs(changes):
    plain, sampled = (Rig(unruled_sample=share).post(build.message(), **changes) for share in (0.0, 1.0))
    assert (plain.sealed == "", sampled.sealed == "") == (True, False)
    assert (sampled.headers, sampled.removed, sampled.added) == (plain.headers, plain.removed, plain.added)
    assert "accept-encoding" not in sampled.removed


@pytest.mark.parametrize(
    ("states", "is_changed"),
    [((State.SHADOW,), False), ((State.SHADOW, State.SHADOW), False), ((State.SHADOW, State.ENFORCE), True)],
    ids=str,
)
def test_nothing_but_the_metadata_of_a_call_differs_under_rules_in_shadow(states, is_changed):
    rules = tuple(policy(f"r{index}", state=state) for index, state in enumerate(states))
    headers = SESSION | {"accept-encoding": "gzip"}
    plain, watched = (Rig(protections=held).post(build.message(), headers=headers) for held in ((), rules))
    assert told(watched).protections == tuple(each.name for each in rules)
    assert ((watched.removed, watched.added) != (plain.removed, plain.added)) is is_changed
    assert ("accept-encoding" in watched.removed) is is_changed


def test_list_that_is_filtered_is_inspected_under_rules_in_shadow_too():
    rig = Rig(protections=(policy("r", state=State.SHADOW),), filters_lists=True)
    seen = rig.post(build.message("tools/list", {}), headers={"accept-encoding": "gzip"})
    assert told(seen).protections == ("r",) and "accept-encoding" in seen.removed


def test_call_that_is_inspected_anyway_is_not_sampled():
    rig = Rig(unruled_sample=1.0, filters_lists=True, pinning=Pinning.OBSERVE, protections=(policy("a"),))
    task = build.modern("tools/call", {"name": "get_customer"})
    task["params"]["_meta"][CAPABILITIES_KEY] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    for document in (build.message(), build.message("tools/list", {}), task):
        assert told(rig.post(document)).is_sampled is False


def test_answer_that_holds_nothing_is_not_sampled():
    rig = Rig(unruled_sample=1.0)
    note, answer = {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}
    seen = [rig.post(build.message("ping", {})), *(rig.post(each, headers=SESSION) for each in (note, answer))]
    assert [each.sealed for each in (*seen, stream(rig, "DELETE"))] == [""] * 4


# ---- what conditions read of it --------------------------------------------------------------------------------

CARD, PLAIN = {"note": "card 4111 1111 1111 1111"}, {"note": "see order 12"}


def asked(arguments: Any, *policies: Policy, method: str = "tools/call", **params: Any) -> str:
    rig = Rig(policies=compile_policies(policies), limits=BodyLimits(1 << 20, 32, json_values=10_000))
    return rig.post(build.modern(method, {"name": "get_customer", "arguments": arguments, **params})).reason


DENY = policy("no cards", '"credit_card" in detected', then=Effect.DENY)


@pytest.mark.parametrize(
    ("arguments", "more", "reason"),
    [
        (CARD, {}, "policy_denied"),
        (PLAIN, {}, "allowed"),
        ({}, {}, "allowed"),
        ({"nested": [{"a": CARD}]}, {}, "policy_denied"),
        ({"n": 4111111111111111}, {}, "policy_denied"),
        ({}, {"inputResponses": {"q": {"action": "accept", "content": CARD}}}, "policy_denied"),
        ({"note": "x" * 2_000 + " 4111 1111 1111 1111"}, {}, "policy_denied"),
    ],
)
def test_policy_denies_a_call_in_whose_arguments_a_detector_finds_something(arguments, more, reason):
    assert asked(arguments, DENY, **more) == reason


def test_policy_asks_for_a_stronger_sign_in_if_a_detector_finds_something_in_the_arguments():
    up = replace(DENY, effect=Effect.STEP_UP, demand=Demand(acr=("urn:mfa",)))
    assert (asked(CARD, up), asked(PLAIN, up)) == ("step_up_required", "allowed")


def test_arguments_beyond_the_budget_cannot_be_searched_which_denies():
    large = {"note": "see order 12. " * 12_000}
    assert (asked(large, DENY), asked({"note": "x"}, DENY)) == ("policy_error", "allowed")
    # Nothing is searched unless a condition of a policy that names the target reads it.
    other = Policy("other", State.ENFORCE, Effect.DENY, ((TargetKind.TOOL, "crm/delete_*"),), DENY.conditions)
    assert asked(large, other) == "allowed"


def test_rule_for_calls_with_cards_in_their_arguments_masks_what_comes_back():
    rig = Rig(protections=(policy("cards", '"credit_card" in detected'),))
    seen = [rig.post(build.modern(params={"name": "get_customer", "arguments": each})) for each in (CARD, PLAIN)]
    assert [told(each) and told(each).protections for each in seen] == [("cards",), None]


def test_tool_is_listed_for_there_are_arguments_in_which_nothing_is_found():
    rig = Rig(policies=compile_policies([DENY]), filters_lists=True)
    assert rig.post(build.message("tools/list", {})).reason == "allowed"


def test_posted_response_cannot_be_searched_for_it_is_not_known_whose_answer_it_is():
    answer = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert Rig(policies=compile_policies([DENY])).post(answer, headers=SESSION).reason == "policy_error"
    ruled_out = policy("admins", '"credit_card" in detected', '"admin" in user.roles', then=Effect.DENY)
    assert Rig(policies=compile_policies([ruled_out])).post(answer, headers=SESSION).reason == "allowed"
