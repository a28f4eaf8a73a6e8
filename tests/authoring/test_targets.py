"""Whom and what a rule or policy touches, before it is activated."""

import pytest

from agen_authz.authoring.catalog import read_catalog
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.targets import Reach, find_reach
from tests.authoring.rig import RULES, TEXT, TOOLS, draft, save
from tests.config.test_mistakes import GOOD

EVERYTHING = ("crm/delete_customer", "crm/get_customer", "crm/update_customer")
NOTES = ("crm/note://1", "crm/note://{id}")
# name: (tools, resources, prompts, roles)
TOUCHED = {
    "read": (("crm/get_customer",), (), (), ("analyst",)),
    "edit": (("crm/delete_customer", "crm/update_customer"), (), (), ("support",)),
    "refunds": (("billing/refund",), (), (), ("enrolled + finance",)),
    "notes": ((), NOTES, ("crm/summarize",), ("analyst", "support")),
    "no deletes": (("crm/delete_customer",), (), (), ("support",)),
    "big": (("billing/refund",), (), (), ("enrolled + finance",)),
    "watched": (("crm/get_customer",), (), (), ("analyst",)),
    "asleep": (("crm/get_customer",), (), (), ("analyst",)),
}


def reach(built: Draft) -> Reach:
    found = find_reach(built, "p", [])
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "touched"), TOUCHED.items(), ids=TOUCHED)
def test_rule_and_policy_touch_what_they_name_and_who_may_reach_it(tmp_path, name, touched):
    built = draft(tmp_path)
    known = read_catalog([f"crm={save(tmp_path, TOOLS)}"], ["crm"])
    assert find_reach(built, name, known) == Reach(name, *touched)


def test_without_a_list_what_is_named_whole_is_known(tmp_path):
    assert find_reach(draft(tmp_path), "edit", []) == Reach("edit", *TOUCHED["edit"])
    assert find_reach(draft(tmp_path), "read", []) == Reach("read", ("crm/get_customer",), (), (), ("analyst",))


def test_policy_without_selectors_touches_everything(tmp_path):
    text = TEXT + "  - {name: all, state: shadow, then: deny}\n"
    known = read_catalog([f"crm={save(tmp_path, TOOLS)}"], ["crm"])
    expected = Reach(
        "all", ("billing/refund", *EVERYTHING), NOTES, ("crm/summarize",), ("analyst", "enrolled + finance", "support")
    )
    assert find_reach(draft(tmp_path, text), "all", known) == expected


def test_policy_names_without_regard_to_case(tmp_path):
    text = GOOD + RULES + "policies: [{name: p, state: enforce, tools: ['CRM/Update_Customer'], then: deny}]\n"
    assert reach(draft(tmp_path, text)).tools == ("crm/update_customer",)


def test_policy_of_a_tenant_is_found(tmp_path):
    text = TEXT + "tenants: {acme: {policies: [{name: own, state: enforce, tools: [crm/get_customer], then: deny}]}}\n"
    found = find_reach(draft(tmp_path, text), "own", [])
    assert found is not None and found.tools == ("crm/get_customer",)


def test_no_caller_is_reached_if_no_caller_has_access(tmp_path):
    text = GOOD + "policies: [{name: p, state: enforce, tools: [crm/other], then: deny}]\n"
    assert find_reach(draft(tmp_path, text), "p", []) == Reach("p", ("crm/other",), (), (), ())


def test_what_no_rule_names_is_reached_by_anybody_where_that_is_so(tmp_path):
    text = GOOD.replace("  - name: billing", "    unmapped: authenticated\n  - name: billing")
    more = "policies: [{name: p, state: enforce, tools: [crm/other, crm/get_x], then: deny}]\n"
    everybody = ("anybody with a token", "analyst")
    assert reach(draft(tmp_path, text + more)).roles == everybody
    # A rule names these: they are for its roles alone.
    named = more.replace("crm/other, ", "")
    assert reach(draft(tmp_path, text + named)).roles == ("analyst",)


def test_name_that_nothing_has_reaches_nothing(tmp_path):
    assert find_reach(draft(tmp_path), "nobody", []) is None
