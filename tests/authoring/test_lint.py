"""What is probably not meant is found, once, and nothing else is."""

from dataclasses import replace

import pytest

from agen_authz.authoring.catalog import CatalogEntry, read_catalog
from agen_authz.authoring.lint import LintFinding, lint
from tests.authoring.rig import draft, save, tool
from tests.builders import NOW
from tests.config.test_mistakes import GOOD

DAY_S = 86_400.0
KNOWN = [tool("get_customer", is_read_only=True)]
STEP_UP = "then: step_up, step_up: {acr: [strong]}"


def rules(*written: str, rest: str = "") -> str:
    return GOOD + "".join(f"    - {{{each}}}\n" for each in written) + rest


def policies(*written: str) -> str:
    return "policies:\n" + "".join(f"  - {{{each}}}\n" for each in written)


def names_nothing(name: str, selector: str) -> LintFinding:
    message = f"`{selector}` names no known target"
    return LintFinding("names_nothing", name, message, "correct the name, or remove the selector")


def shadowed_rule(name: str, other: str) -> LintFinding:
    message = f"`{other}` already grants every target of this rule to every caller of this rule"
    return LintFinding("shadowed_rule", name, message, "remove it, or narrow the other")


def shadowed_policy(name: str, other: str) -> LintFinding:
    message = f"`{other}` denies all that it is about"
    return LintFinding("shadowed_policy", name, message, "remove it, or narrow the other")


def wide(name: str, selector: str, granted: str) -> LintFinding:
    message = f"`{selector}` grants what may write: {granted}"
    return LintFinding("wide_grant", name, message, "name what is meant, such as crm/get_*")


def unruled(name: str) -> LintFinding:
    cure = f'name it in its own rule: tools: ["{name}"]'
    return LintFinding("write_without_rule", name, "the tool may write, and no rule names it exactly", cure)


def unmapped(name: str, who: str) -> LintFinding:
    cure = f'name it in a rule: tools: ["{name}"]'
    return LintFinding("tool_without_rule", name, f"no rule names the tool, so {who}", cure)


def unproven(name: str, kind: str = "that deletes, pays or configures") -> LintFinding:
    cure = "add a policy with `then: step_up` or `then: require_approval`"
    return LintFinding("sensitive_without_proof", name, f"no step-up or approval protects a tool {kind}", cure)


def unknown(name: str, taken: str) -> LintFinding:
    message = f"it reads `args.{name}`, which is an argument of no tool that it names"
    return LintFinding("unknown_argument", "p", message, f"the tools take: {taken}")


def takes(name: str, *arguments: str) -> CatalogEntry:
    return replace(tool(name, is_read_only=True), arguments=frozenset(arguments))


def never_grants(name: str) -> LintFinding:
    cure = "correct the names, or add them under `providers[].roles`"
    return LintFinding("never_grants", name, "no provider may assert the roles or permissions that it asks for", cure)


NEVER = LintFinding("never_applies", "p", "a condition of it is always false", "correct the condition")
ALWAYS = LintFinding(
    "never_evaluates", "p", "a condition of it can never be evaluated: it always denies the calls that it names",
    "correct the condition",
)  # fmt: skip
DELETE, PAY = tool("delete_customer"), tool("refund", server="billing")
WIPES = "whose server calls it destructive"
WIPING = replace(tool("get_x", is_read_only=True), is_destructive=True)
RULE = "name: r, tools: [crm/delete_customer], allow: [a]"
P = "name: p, state: enforce, tools: [crm/get_customer]"
ALL = "name: q, state: enforce, tools: ['CRM/get_*'], then: deny"
TENANT = f"tenants: {{acme: {{policies: [{{{ALL}}}]}}}}\n"
FEW = GOOD.replace("roles: any", "roles: [analyst, boss]")
# name: (configuration, what is known next to `crm/get_customer`, what is found)
FOUND: dict[str, tuple[str, list[CatalogEntry], list[LintFinding]]] = {
    "nothing": (GOOD, [], []),
    "a tool that writes without a rule": (GOOD, [tool("update_customer")], [unruled("crm/update_customer")]),
    "a tool that writes under a pattern": (GOOD, [tool("get_and_set")], [unruled("crm/get_and_set")]),
    "a tool that says that it reads": (GOOD, [tool("get_x", is_read_only=True)], []),
    "a tool that writes with a rule": (rules("name: r, tools: [crm/update_x], allow: [a]"), [tool("update_x")], []),
    "a tool that only reads, without a rule": (
        GOOD, [tool("list_x", is_read_only=True)], [unmapped("crm/list_x", "no caller may call it")],
    ),
    "a tool that only reads, without a rule, where none is needed": (
        GOOD.replace("insecure_unsigned: true", "insecure_unsigned: true\n    unmapped: authenticated", 1),
        [tool("list_x", is_read_only=True)], [unmapped("crm/list_x", "every caller with a token may call it")],
    ),
    "a tool that its server calls destructive": (GOOD, [WIPING], [unproven("crm/get_x", WIPES)]),
    "a policy that reads an argument that no tool has": (
        GOOD + policies(f"{P}, then: deny, when: ['args.idd == 1', '!has(args.x.y)', 'args.id == 2']"),
        [takes("get_customer", "id", "fields")],
        [unknown("idd", "fields, id"), unknown("x", "fields, id")],
    ),
    "a policy that reads an argument that one of its tools has": (
        GOOD + policies("name: p, state: enforce, tools: ['crm/get_*'], then: deny, when: ['args.a == 1']"),
        [takes("get_customer", "id"), takes("get_order", "a")], [],
    ),
    "a policy that reads an argument of a tool that takes any": (
        GOOD + policies("name: p, state: enforce, tools: ['crm/get_*'], then: deny, when: ['args.a == 1']"),
        [takes("get_customer", "id"), tool("get_order", is_read_only=True)], [],
    ),
    "a policy that reads arguments of a server that nobody listed, too": (
        GOOD + policies("name: p, state: enforce, tools: ['*/get_*'], then: deny, when: ['args.a == 1']"),
        [takes("get_customer", "id")], [],
    ),
    "a policy that looks at every argument": (
        GOOD + policies(f"{P}, then: deny, when: ['args.exists(name, name == \"a\")', 'size(args) > 3']"),
        [takes("get_customer", "id")], [],
    ),
    "a policy that reads an argument of a tool without any": (
        GOOD + policies(f"{P}, then: deny, when: ['args.a == 1']"), [takes("get_customer")],
        [unknown("a", "no arguments")],
    ),
    "a tool that deletes unasked": (rules(RULE), [DELETE], [unproven("crm/delete_customer")]),
    "a tool that deletes and asks for more": (
        rules(RULE, rest=policies(f"name: p, state: enforce, tools: ['crm/delete_*'], {STEP_UP}")), [DELETE], [],
    ),
    "a tool that deletes and is denied outright": (
        rules(RULE, rest=policies("name: p, state: enforce, tools: ['crm/delete_*'], then: deny")), [DELETE], [],
    ),
    "a tool that deletes and is denied at times": (
        rules(RULE, rest=policies("name: p, state: enforce, then: deny, when: ['tool.name == \"x\"']")), [DELETE],
        [unproven("crm/delete_customer")],
    ),
    "a tool that deletes and asks for more in shadow": (
        rules(RULE, rest=policies(f"name: p, state: shadow, {STEP_UP}")), [DELETE], [unproven("crm/delete_customer")],
    ),
    "a tool that deletes and asks one tenant for more": (
        rules(RULE, rest=f"tenants: {{acme: {{policies: [{{name: p, state: enforce, {STEP_UP}}}]}}}}\n"), [DELETE],
        [unproven("crm/delete_customer")],
    ),
    "a tool that pays, of a server that nobody listed": (
        rules("name: r, tools: [billing/refund], allow: [a]"), [], [unproven("billing/refund")],
    ),
    "a grant of everything": (
        rules("name: r, tools: ['crm/*'], allow: [a]"), [DELETE],
        [unruled("crm/delete_customer"), unproven("crm/delete_customer"), wide("r", "crm/*", "crm/delete_customer")],
    ),
    "a grant of everything that only reads": (rules("name: r, tools: ['crm/**'], allow: [a]"), [], []),
    "a grant of everything that nobody listed": (
        rules("name: r, tools: ['*/*'], allow: [a]"), [],
        [wide("r", "*/*", "tools of `billing` that the catalog does not list")],
    ),
    "a rule that names nothing": (
        rules("name: r, tools: [crm/get_order], allow: [b]"), [], [names_nothing("r", "crm/get_order")],
    ),
    "a rule of another case": (
        rules("name: r, tools: [crm/Get_customer], allow: [b]"), [], [names_nothing("r", "crm/Get_customer")],
    ),
    "a rule of a server that nobody listed": (rules("name: r, tools: ['billing/get_x*'], allow: [b]"), [], []),
    "a rule of every server, one of them not listed": (rules("name: r, tools: ['*/get_order'], allow: [b]"), [], []),
    "a rule of prompts that nobody listed": (rules("name: r, prompts: [crm/x], allow: [b]"), [], []),
    "a rule that another covers": (
        rules("name: r, tools: [crm/get_customer], allow: [analyst]"), [], [shadowed_rule("r", "read")],
    ),
    "a pattern that another covers": (
        rules("name: r, tools: ['crm/get_c*'], allow: [analyst]"), [], [shadowed_rule("r", "read")],
    ),
    "a rule for another role": (rules("name: r, tools: [crm/get_customer], allow: [analyst, b]"), [], []),
    "a rule that is there twice": (
        rules("name: r, tools: ['crm/get_*'], allow: [analyst]"), [], [shadowed_rule("r", "read")],
    ),
    "a rule that asks for more than another": (
        rules("name: r, tools: [crm/get_customer], allow_all: [analyst, b]"), [], [shadowed_rule("r", "read")],
    ),
    "a rule that asks for what another does not let in": (
        rules("name: r, tools: [crm/get_customer], allow_all: [b, c]"), [], [],
    ),
    "two rules that ask for several": (
        rules(
            "name: r, tools: ['crm/get_c*'], allow_all: [b, c]", "name: s, tools: ['crm/get_ca*'], allow_all: [b, c, d]"
        ),
        [tool("get_cat", is_read_only=True)], [shadowed_rule("s", "r")],
    ),
    "a wider pattern beside a narrow one": (
        rules("name: r, tools: ['crm/*et_*'], allow: [analyst]"), [], [shadowed_rule("read", "r")],
    ),
    "a pattern over parts within one that is not": (
        rules("name: r, tools: ['crm/get_c**'], allow: [analyst]"), [], [],
    ),
    "a role that no provider may assert": (
        FEW + "    - {name: r, tools: ['crm/get_cust*'], allow: [nobody]}\n", [], [never_grants("r")],
    ),
    "roles that no provider may assert together": (
        FEW + "    - {name: r, tools: ['crm/get_cust*'], allow_all: [boss, nobody]}\n", [], [never_grants("r")],
    ),
    "roles of which one may be asserted": (
        FEW + "    - {name: r, tools: ['crm/get_cust*'], allow: [boss, x]}\n", [], [],
    ),
    "a policy that names nothing": (
        GOOD + policies("name: p, state: enforce, tools: [crm/get_order, crm/get_customer], then: deny"), [],
        [names_nothing("p", "crm/get_order")],
    ),
    "a policy of a server that nobody listed": (
        GOOD + policies("name: p, state: enforce, tools: ['billing/get_*'], then: deny"), [], [],
    ),
    "a policy of another case": (
        GOOD + policies("name: p, state: enforce, tools: [CRM/GET_Customer], then: deny"), [], [],
    ),
    "a policy that never applies": (GOOD + policies(f"{P}, when: ['1 == 2'], then: deny"), [], [NEVER]),
    "a policy that never applies in so many words": (
        GOOD + policies(f"{P}, when: ['\"a\" in user.roles', ' false '], then: deny"), [], [NEVER],
    ),
    "a policy that can never be evaluated": (GOOD + policies(f"{P}, when: ['1 / 0 == 1'], then: deny"), [], [ALWAYS]),
    "a policy that always applies": (GOOD + policies(f"{P}, when: ['1 == 1'], then: deny"), [], []),
    "a policy that a denial covers": (
        GOOD + policies(f"{P}, {STEP_UP}", ALL), [], [shadowed_policy("p", "q")],
    ),
    "a policy that a denial of everything covers": (
        GOOD + policies("name: q, state: enforce, then: deny", f"{P}, {STEP_UP}"), [], [shadowed_policy("p", "q")],
    ),
    "a policy about more than the denial": (GOOD + policies(f"name: p, state: enforce, {STEP_UP}", ALL), [], []),
    "a policy that a denial covers at times": (
        GOOD + policies(f"{P}, {STEP_UP}", ALL + ", when: ['tool.name == \"x\"']"), [], [],
    ),
    "a policy that a denial in shadow covers": (
        GOOD + policies(f"{P}, {STEP_UP}", ALL.replace("enforce", "shadow")), [], [],
    ),
    "a disabled policy that a denial covers": (
        GOOD + policies(f"{P}, {STEP_UP}".replace("enforce", "disabled"), ALL), [], [],
    ),
    "two denials of the same": (
        GOOD + policies(ALL, ALL.replace("q", "r")), [], [shadowed_policy("r", "q")],
    ),
    "a policy of everybody that one tenant's denial covers": (GOOD + policies(f"{P}, {STEP_UP}") + TENANT, [], []),
    "one tenant's policy that everybody's denial covers": (
        GOOD + policies(ALL) + f"tenants: {{acme: {{policies: [{{{P}, {STEP_UP}}}]}}}}\n", [],
        [shadowed_policy("p", "q")],
    ),
    "one tenant's denial and the same of everybody": (
        GOOD + TENANT + policies(ALL.replace("q", "r")), [], [shadowed_policy("q", "r")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "known", "expected"), FOUND.values(), ids=FOUND)
def test_finding_is_what_it_is_and_alone(tmp_path, text, known, expected):
    held = known if any(each.target == KNOWN[0].target for each in known) else [*KNOWN, *known]
    assert lint(draft(tmp_path, text), held, {}, NOW) == expected


def test_every_finding_says_how_to_fix_it():
    assert {finding.check for _, _, found in FOUND.values() for finding in found if finding.cure} == {
        "write_without_rule", "sensitive_without_proof", "wide_grant", "names_nothing", "shadowed_rule",
        "never_grants", "never_applies", "never_evaluates", "shadowed_policy", "tool_without_rule", "unknown_argument",
    }  # fmt: skip


def test_arguments_of_a_resource_are_found(tmp_path):
    text = GOOD + policies(
        "name: p, state: enforce, resources: ['crm/note://**'], when: [args.amount > 5.0], then: deny"
    )
    message = "it reads `args`, which a call of a resource (crm/note://**) never has"
    cure = "name the resources in a separate policy, and read `tool.name` there"
    assert lint(draft(tmp_path, text), [], {}, NOW) == [LintFinding("never_has_args", "p", message, cure)]


@pytest.mark.parametrize(
    ("state", "methods", "is_found"),
    [
        ("enforce", "", True), ("enforce", "methods: {response: allow}", True),
        ("enforce", "methods: {response: deny}", False), ("shadow", "", False),
    ],
)  # fmt: skip
def test_responses_that_a_policy_on_answers_denies_are_found(tmp_path, state, methods, is_found):
    base = GOOD.replace(
        "    url: https://mcp.example.com/crm/mcp\n", f"    url: https://mcp.example.com/crm/mcp\n    {methods}\n"
    )
    text = base + policies(
        f"name: p, state: {state}, tools: ['crm/get_*'], when: [inputs.a.content.n > 5.0], then: deny"
    )
    message = "it reads `inputs`, so it denies every response that a legacy client posts to `crm`"
    cure = "say so with `methods: {response: deny}` under the resource `crm`"
    found = [LintFinding("denies_responses", "p", message, cure)] if is_found else []
    assert lint(draft(tmp_path, text), KNOWN, {}, NOW) == found


def test_policy_long_in_shadow_is_found_after_30_days(tmp_path):
    text = GOOD + policies(
        "name: s, state: shadow, then: deny", "name: e, state: enforce, prompts: [crm/x], then: deny"
    )
    built = draft(tmp_path, text)
    found = LintFinding("long_in_shadow", "s", "in shadow for 31 days: it protects nothing", "enforce it, or remove it")
    assert lint(built, [], {"s": NOW - 31 * DAY_S, "e": NOW - 99 * DAY_S}, NOW) == [found]
    assert lint(built, [], {"s": NOW - 30 * DAY_S}, NOW) == []
    assert lint(built, [], {}, NOW) == []


@pytest.mark.parametrize(
    ("demand", "is_found"),
    [
        ("amr: [otp]", True),
        ("amr: [otp], max_age: 5m, scope: s", True),
        ("amr: [otp], acr: [a]", False),
        ("max_age: 5m", False),
    ],
)
def test_step_up_whose_amr_no_challenge_can_say_is_found(tmp_path, demand, is_found):
    text = GOOD + policies(f"name: p, state: enforce, tools: [crm/get_customer], then: step_up, step_up: {{{demand}}}")
    message = "no challenge can say the `amr` it asks for: clients come back with the same token"
    found = LintFinding("untold_step_up", "p", message, "add the `acr` of such a sign-in")
    assert lint(draft(tmp_path, text), KNOWN, {}, NOW) == ([found] if is_found else [])


@pytest.mark.parametrize(
    ("selector", "is_found"),
    [("crm/note://**", False), ("crm/note://7", False), ("crm/not*", False), ("crm/order://7", True)],
)
def test_resource_that_matches_a_template_is_known(tmp_path, selector, is_found):
    listed = read_catalog([f"crm={save(tmp_path, {'resourceTemplates': [{'uriTemplate': 'note://{id}'}]})}"], ["crm"])
    text = rules(f"name: r, resources: ['{selector}'], allow: [a]")
    named = text + policies(f"name: p, state: enforce, resources: ['{selector.upper()}'], then: deny")
    expected = [names_nothing("r", selector), names_nothing("p", selector.upper())] if is_found else []
    assert lint(draft(tmp_path, named), listed, {}, NOW) == expected


def test_template_says_nothing_of_prompts(tmp_path):
    listed = read_catalog(
        [f"crm={save(tmp_path, {'resourceTemplates': [{'uriTemplate': '{x}'}], 'prompts': [{'name': 'a'}]})}"], ["crm"]
    )
    text = rules("name: r, prompts: ['crm/b'], allow: [a]")
    assert lint(draft(tmp_path, text), listed, {}, NOW) == [names_nothing("r", "crm/b")]
