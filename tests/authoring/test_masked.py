"""What authors are told of data protection: which rules apply, what would change, and which tools none names."""

from typing import Any

import pytest

from agen_authz.authoring.explain import as_object
from agen_authz.authoring.lint import LintFinding, lint
from agen_authz.authoring.reach import list_named
from agen_authz.authoring.replay.replay import replay
from agen_authz.authoring.test import Case, try_case
from tests.authoring.rig import draft, event, lines, tool
from tests.authoring.test_explain import flat
from tests.authoring.test_scenario import ANALYST, GET, told
from tests.builders import NOW, TRACE_KEY
from tests.config.test_mistakes import GOOD


def protect(*written: str, base: str = GOOD) -> str:
    return base + "data_protection:\n" + "".join(f"  - {{{each}, presets: [pci]}}\n" for each in written)


CARDS = "name: cards, state: enforce, tools: ['crm/*']"
OTHERS = "name: others, state: shadow, tools: ['crm/get_*'], when: ['\"admin\" in user.roles']"
WATCHED = "name: watched, state: shadow"
OFF = "name: off, state: disabled"
TEXT = protect(CARDS, OTHERS, WATCHED, OFF)


def test_trace_tells_which_rules_mask_what_comes_back_and_why_others_do_not(tmp_path):
    trace = told(tmp_path, {"call": GET, "claims": ANALYST}, TEXT)
    assert flat(trace.root)[-5:] == [
        "data protection `cards` (enforce): applies",
        "data protection `others` (shadow): does not apply",
        '"admin" in user.roles -> false',
        'user.roles = ["analyst"]',
        "data protection `watched` (shadow): applies",
    ]
    assert (trace.protections, as_object(trace)["data_protection"]) == (("cards", "watched"), ["cards", "watched"])


def test_trace_of_a_call_that_names_nothing_has_every_rule_that_may_apply(tmp_path):
    trace = told(tmp_path, {"call": {"server": "crm", "method": "tools/list"}, "claims": ANALYST}, TEXT)
    assert [node.text for node in trace.root.children if node.text.startswith("data")] == [
        "data protection `cards` (enforce): applies",
        "data protection `watched` (shadow): applies",
    ]


def test_denied_call_has_no_rules(tmp_path):
    trace = told(tmp_path, {"call": GET}, TEXT)
    assert trace.protections == () and not any(line.startswith("data") for line in flat(trace.root))


@pytest.mark.parametrize(
    ("expected", "failure"),
    [
        (["cards", "watched"], ""),
        (["watched", "cards"], ""),
        (None, ""),
        ([], "expected data protection none, applied: `cards`, `watched`"),
        (["cards"], "expected data protection `cards`, applied: `cards`, `watched`"),
    ],
    ids=str,
)
def test_case_may_say_which_rules_must_apply(tmp_path, expected, failure):
    more = {} if expected is None else {"data_protection": expected}
    written = {"name": "c", "call": GET, "claims": ANALYST, "expect": {"decision": "allow", **more}}
    case = Case.model_validate(written, strict=False)
    assert try_case(draft(tmp_path, TEXT), tmp_path, case, now=NOW, digest_key=TRACE_KEY).failure == failure


# ---- replay ----------------------------------------------------------------------------------------------------

ALLOW, DENY = "allow (allowed)", "deny (policy_denied)"


def recorded(*names: str, outcome: str = "enforce", **more: Any) -> dict[str, Any]:
    return event(why=[{"check": "data_protection", "outcome": outcome, "rule": name} for name in names], **more)


CUT = {"field": "why", "total": 99, "digest": "0" * 64}


@pytest.mark.parametrize(
    ("text", "line", "change"),
    [
        (TEXT, recorded("cards"), None),
        (GOOD, recorded(), None),
        (TEXT, recorded(), (ALLOW, f"{ALLOW}, masked by `cards`")),
        (GOOD, recorded("b", "a"), (f"{ALLOW}, masked by `a`, `b`", ALLOW)),
        (GOOD, recorded("a", outcome="shadow"), None),
        (protect(CARDS.replace("enforce", "shadow")), recorded("cards"), (f"{ALLOW}, masked by `cards`", ALLOW)),
        (GOOD, recorded("a", shortened=[CUT]), None),
        # An event does not say if it applies.
        (protect(f"{CARDS}, when: ['args.a == 1']"), recorded(), None),
        (protect(f"{CARDS}, when: ['args.a == 1']"), recorded("cards"), None),
        (protect(f"{CARDS}, when: ['detected != []']"), recorded("cards"), None),
    ],
)
def test_replay_tells_what_would_be_masked_otherwise(tmp_path, text, line, change):
    result = replay(draft(tmp_path, text), lines(line))
    assert (result.same, [key[:2] for key in result.changes]) == (
        int(change is None),
        [] if change is None else [change],
    )


# ---- lint ------------------------------------------------------------------------------------------------------

KNOWN = [tool("get_customer", is_read_only=True), tool("get_order", is_read_only=True)]


def unmasked(name: str) -> LintFinding:
    message = "data protection covers tools of `crm`, but what this one returns is not masked"
    return LintFinding(
        "tool_without_masking", name, message, f'name it in a rule of `data_protection`: tools: ["{name}"]'
    )


ONE = "name: one, state: enforce, tools: [CRM/Get_Customer]"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD, []),
        (protect(ONE), [unmasked("crm/get_order")]),
        (protect(f"{ONE}, when: ['\"a\" in user.roles']"), [unmasked("crm/get_order")]),
        (protect(CARDS), []),
        (protect(ONE, CARDS.replace("enforce", "shadow")), []),
        (protect(ONE, CARDS.replace("enforce", "disabled")), [unmasked("crm/get_order")]),
        (protect(ONE, WATCHED), []),
        (protect("name: b, state: enforce, tools: ['billing/*']"), []),
        (protect("name: b, state: enforce, resources: ['crm/**']"), []),
        (protect(f"{CARDS}, when: ['false']"),
         [LintFinding("never_masks", "cards", "a condition of it is always false, so it masks nothing",
                      "correct the condition")]),
        (protect("name: n, state: enforce, tools: [crm/get_customer, crm/get_order, crm/get_x]"),
         [LintFinding("names_nothing", "n", "`crm/get_x` names no known target",
                      "correct the name, or remove the selector")]),
    ],
)  # fmt: skip
def test_tool_that_no_rule_masks_next_to_others_is_found(tmp_path, text, found):
    assert lint(draft(tmp_path, text), KNOWN, {}, NOW) == found


def test_tool_that_is_masked_and_that_no_rule_grants_is_found(tmp_path):
    built = draft(tmp_path, protect("name: p, state: enforce, tools: [crm/list_orders]"))
    assert "crm/list_orders" in [each.spelling for each in list_named(built, [])]
    assert ("write_without_rule", "crm/list_orders") in [
        (each.check, each.subject) for each in lint(built, [], {}, NOW)
    ]


def test_responses_that_a_policy_on_what_is_found_denies_are_found(tmp_path):
    policy = "policies: [{name: p, state: enforce, tools: ['crm/*'], when: ['detected != []'], then: deny}]\n"
    message = "it reads `detected`, so it denies every response that a legacy client posts to `crm`"
    cure = "say so with `methods: {response: deny}` under the resource `crm`"
    assert lint(draft(tmp_path, GOOD + policy), [], {}, NOW) == [LintFinding("denies_responses", "p", message, cure)]
