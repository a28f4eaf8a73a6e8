"""Conditions that no call could ever answer do not load: file, line, what is wrong and what to do."""

import pytest

from agen_authz.config import load
from agen_authz.core.errors import ConfigError
from tests.authoring.rig import write
from tests.config.test_mistakes import GOOD

POLICY = "policies:\n  - name: p\n    state: enforce\n    then: deny\n    when: [%s]\n"
BARE = GOOD.replace("    claims: {tenant: tenantId}\n    tenants: any\n", "")
PROXY = "trusted_proxies: [192.0.2.0/24]\ncountry_header: cf-ipcountry\n"

GOOD_ONES = {
    "a network": (GOOD, "'\"office\" in request.networks'"),
    "a network, in the other quotes": (GOOD, '''"'office' in request.networks"'''),
    "a claim that a provider maps": (GOOD, "'user.tenant == \"a\"'"),
    "a claim that is there by default": (BARE, "'user.email.endsWith(\"@a.com\")'"),
    "the country": (PROXY + GOOD, "'request.country == \"DE\"'"),
    "annotations": (GOOD, "'has(tool.annotations.readOnlyHint)'"),
    "no network at all": (GOOD, "'request.networks == []'"),
    "a detector": (GOOD, "'\"credit_card\" in detected'"),
    "several detectors": (GOOD, "'detected.exists(d, d == \"us_ssn\" || d.startsWith(\"uk_\"))'"),
    "any detector": (GOOD, "'detected != []'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "condition"), GOOD_ONES.values(), ids=GOOD_ONES)
def test_condition_that_can_be_answered_loads(tmp_path, text, condition):
    config = load(write(tmp_path, text + POLICY % condition), environ={}).config
    assert len(config.policies[0].when or ()) == 1


# name: (configuration, conditions, where, the message, what to do)
MISTAKES = {
    "nothing": (GOOD, "", "when", "the list is empty", "at least one condition"),
    "a word that is none": (
        GOOD, "'true', 'user.rolls == []'", "when[1]", "column 5: nothing is called `user.rolls`",
        "did you mean `user.roles`",
    ),
    "no CEL": (GOOD, "'1 +'", "when[0]", "column 4: Syntax error: mismatched input '<EOF>'", "see docs/policies.md"),
    "no question": (GOOD, "'request.ip'", "when[0]", "column 1: says `string`, not true or false", "compare it"),
    "types that cannot match": (
        GOOD, "'user.email == 5'", "when[0]", "column 12: found no matching overload for '_==_'", "see docs",
    ),
    "annotations where nothing is pinned": (
        "tools: {pinning: off}\n" + GOOD, "'tool.annotations.readOnlyHint'", "when[0]",
        "`tools.pinning` is `off`, so no definition has `tool.annotations`", "set it to `observe` or `enforce`",
    ),
    "a network that is none": (
        GOOD, "'\"home\" in request.networks'", "when[0]", "unknown network `home`", "add it under `networks`",
    ),
    "a detector that is none": (
        GOOD, "'\"credit_cards\" in detected'", "when[0]", "unknown detector `credit_cards`",
        "did you mean `credit_card`",
    ),
    "a detector by another name": (
        GOOD, "'\"usSsn\" in detected'", "when[0]", "`detected` has our ids", "write `us_ssn`",
    ),
    "a detector that is none, in a loop": (
        GOOD, "'detected.exists(d, d == \"shoe_size\")'", "when[0]", "unknown detector `shoe_size`", "docs/masking.md",
    ),
    "a detector of no preset": (
        GOOD, "'\"unverified_credit_card\" in detected'", "when[0]", "in no preset", "a detector of a preset",
    ),
    "a claim that no provider maps": (
        BARE, "'user.tenant == \"a\"'", "when[0]", "no provider says where `user.tenant` is",
        "map it under `providers[].claims.tenant`",
    ),
    "a country that nobody says": (
        GOOD, "'request.country == \"DE\"'", "when[0]", "no setting says where `request.country` comes from",
        "set `country_header`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "conditions", "where", "message", "cure"), MISTAKES.values(), ids=MISTAKES)
def test_condition_that_cannot_be_answered_is_named_with_its_line(tmp_path, text, conditions, where, message, cure):
    file = write(tmp_path, text + POLICY % conditions)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    (problem,) = caught.value.problems
    line = len(text.splitlines()) + 5
    assert (problem.file, problem.line, problem.path) == (str(file), line, f"policies[0].{where}")
    assert message in problem.message and cure in problem.cure


def test_every_mistake_of_every_condition_is_named_those_of_tenants_too(tmp_path):
    tenants = "tenants: {acme: {policies: [{name: t, state: shadow, then: deny, when: ['nobody']}]}}\n"
    file = write(tmp_path, GOOD + POLICY % "'x', '\"a\" in request.networks'" + tenants)
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert [problem.path for problem in caught.value.problems] == [
        "policies[0].when[0]", "policies[0].when[1]", "tenants.acme.policies[0].when[0]",
    ]  # fmt: skip
