"""Mistakes of every kind are named at once, and none is an echo of another."""

# ruff: noqa: E501 one row per mistake, read as a table

import pytest

from tests.config.test_mistakes import FLOW, GOOD, POLICY, problems_of


def places_of(tmp_path, text):
    return [(problem.line, problem.path) for problem in problems_of(tmp_path, text)]


def test_every_kind_of_mistake_is_named_in_one_go(tmp_path):
    text = (
        GOOD.replace("version: 1", "version: 2")
        .replace("10.0.0.0/8", "10.0.0.1/8")
        .replace("tenants: any", "tenant: any")
        .replace("insecure_unsigned: true", "insecure_unsigned: yes", 1)
        .replace("allow: [analyst]", "allow: []")
        + "limits: {in_flight: many, in_flight: 2, json_depth: *depth}\n"
        + "policies: [{name: p, state: enforce, then: require_approval, flow: nobody}]\n"
        + "store: {encryption_key_file: /k}\nstore: {}\n"
    )
    assert places_of(tmp_path, text) == [
        (1, "version"),
        (5, "networks.office[0]"),
        (10, "providers[0].tenant"),
        (16, "resources[0].insecure_unsigned"),
        (26, "access.rules[0].allow"),
        (27, "limits.in_flight"),
        (27, "limits.json_depth"),
        (27, "limits.in_flight"),
        (28, "policies[0].flow"),
        (30, "store"),
    ]


def test_items_behind_one_that_is_wrong_keep_their_place(tmp_path):
    broken = "    - {name: b, tools: ['crm/x'], allow: [a], when: 1}\n    - 5\n    - {tools: ['crm/x'], allow: [a]}\n"
    assert places_of(tmp_path, GOOD + broken + "    - {name: c, tools: ['crm/x'], allow: []}\n") == [
        (27, "access.rules[1].when"),
        (28, "access.rules[2]"),
        (29, "access.rules[3].name"),
        (30, "access.rules[4].allow"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("issuer:", "isuer:"), [(7, "providers[0].issuer"), (8, "providers[0].isuer")]),
        (GOOD.replace("name: corp", "name: CORP"), [(7, "providers[0].name")]),
        (GOOD.replace("name: crm", "name: [crm]"), [(13, "resources[0].name")]),
        (GOOD.replace("allow: [analyst]", "alow: [analyst]"), [(26, "access.rules[0].alow")]),
        (GOOD.replace("mapping: roles", "mapping: groups"), [(22, "access.mapping")]),
        (GOOD.replace("access:", "acces:"), [(1, "access"), (21, "acces")]),
        (GOOD.replace("resources:", "resources: 5\nresorces:"), [(12, "resources"), (13, "resorces")]),
        (GOOD.replace("office:", "Office:") + POLICY % """, when: ['"office" in request.networks']""", [(5, "networks.Office")]),
        (GOOD.replace("  authz", "  check_timeout: 0s\n  authz") + "limits: {store_timeout: 2s}\n", [(3, "server.check_timeout")]),
        (GOOD + POLICY.replace("deny", "require_approval") % ", flow: f" + FLOW % ("", ", hold: 1s", ""), [(28, "approvals.flows[0].hold")]),
        (GOOD.replace("tenants: any", "tenants: [1, 2]"), [(10, "providers[0].tenants[0]"), (10, "providers[0].tenants[1]")]),
        (GOOD.replace("claims: {tenant: tenantId}", "claims: {client: [x, 5]}"), [(9, "providers[0].claims.client[1]")]),
    ],
    ids=[
        "renamed key", "provider of a bad name", "resource of a bad name", "renamed grant", "mapping", "no access",
        "no resources", "network of a bad name", "timeout", "flow", "list or word", "list or text",
    ],
)  # fmt: skip
def test_one_mistake_has_no_echo(tmp_path, text, expected):
    assert places_of(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tenants: any", "tenants: some", "expected a list, or `any`"),
        ("claims: {tenant: tenantId}", "claims: {tenant: 5}", "expected text, or a list"),
        ("name: corp", "name: Corp", "expected a word of at most 63 characters, a-z 0-9 _ and -"),
        ("issuer: https://id.example.com/", "issuer: ''", "expected one line of text that is not empty"),
        ("name: read", "name: ''", "expected one line of 1 to 128 characters"),
        ("insecure_unsigned: true", "insecure_unsigned: 1", "expected a boolean, true or false"),
        ("mapping: roles", "mapping: ROLES", "expected `roles` or `permissions`"),
        ("version: 1", "version: true", "expected 1"),
        ("version: 1", "version: '1'", "expected 1"),
        ("version: 1", "version: 1\nlimits: 5", "expected a mapping of keys to values"),
        ("version: 1", "version: 1\nlimits: {json_depth: 0}", "expected at least 1"),
        ("version: 1", "version: 1\nlimits: {json_depth: 201}", "expected at most 200"),
        ("version: 1", "version: 1\nlimits: {json_depth: 1.5}", "expected an integer"),
        ("version: 1", "version: 1\npolicies: [{name: p, state: enforce, then: deny, when: ['']}]",
         "expected text that is not empty"),
        ("version: 1", f"version: 1\npolicies: [{{name: p, state: enforce, then: deny, when: ['{'x' * 16_385}']}}]",
         "expected at most 16384 characters"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_what_was_expected_is_said_once(tmp_path, old, new, message):
    problems = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert [problem.message for problem in problems] == [message]


@pytest.mark.parametrize(
    ("place", "wrong", "right"),
    [
        ("claims: {tenant: tenantId", "claims: {tenent: tenantId", "tenant"),
        ("  authz", "  autz: 5\n  authz", "authz"),
        ("version: 1", "version: 1\nnetwork: {}", "networks"),
        ("version: 1", "version: 1\nconsole: {provider: corp, client_id: c, client_secret: canary}", "client_secret_file"),
        ("version: 1", "version: 1\ntenants: {acme: {policy: []}}", "policies"),
        ("version: 1", "version: 1\naudit: {sinks: [{name: s, type: stdout, requierd: true}]}", "required"),
    ],
    ids=["claims", "server", "top", "secret in the file", "under a name", "in a list"],
)  # fmt: skip
def test_unknown_key_is_answered_with_the_nearest(tmp_path, place, wrong, right):
    text = GOOD.replace(place, wrong, 1)
    cures = [problem.cure for problem in problems_of(tmp_path, text) if problem.message == "unknown key"]
    assert cures == [f"did you mean `{right}`"]
    assert "canary" not in "".join(str(problem) for problem in problems_of(tmp_path, text))
