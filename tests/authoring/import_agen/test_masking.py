"""Agen's masking policies become rules of `data_protection`: our detectors, its patterns, redacted as there."""

import json
from typing import Any

import pytest
import yaml

from agen_authz.authoring.import_agen.imported import import_policies
from agen_authz.authoring.import_agen.masking import Pattern, read_patterns
from agen_authz.authoring.import_agen.plain import ImportNames
from agen_authz.core.masking.selection import find_id
from tests.authoring.import_agen.test_terraform import MASKING
from tests.authoring.import_agen.written import (
    AMOUNT,
    BIG,
    EU,
    IN_EU,
    NAMES,
    TOOLS,
    VALUES,
    imported,
    policy,
    resource,
    state,
)
from tests.authoring.rig import draft, run, save
from tests.config.test_mistakes import GOOD

SWITCHES = {"creditCard": True, "cvvCvc": True, "url": False, "usSsn": None, "ukNhs": True}
PATTERNS = {
    "r1": Pattern("order", "ORD-[0-9]{10}", "gi", is_enabled=True),
    "r2": Pattern("off", "x", "", is_enabled=False),
}
WITH_PATTERNS = ImportNames("billing", TOOLS, NAMES.apps, PATTERNS)
REDACTS = {"style": {"default": "redact"}}


def rule(*detectors: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "p", "state": "shadow", "tools": ["billing/refund"], **more,
        **({"detectors": {"add": list(detectors)}} if detectors else {}), **REDACTS,
    }  # fmt: skip


def test_policy_of_the_api_becomes_a_rule_with_our_detectors():
    written = policy(IN_EU, BIG, type="MASKING", result="mask", policyConfiguration=SWITCHES)
    result = imported(written)
    assert (result.policies, result.errors) == ((), ())
    assert result.data_protection == (rule("credit_card", "cvv", "uk_nhs", when=[EU, AMOUNT]),)


def test_masking_policy_need_not_say_when_or_that_it_masks():
    result = imported(policy(type="MASKING", policyConfiguration=SWITCHES, targeting=None, tenantId="acme"))
    assert result.data_protection == (rule("credit_card", "cvv", "uk_nhs", when=['user.tenant == "acme"']),)


def test_policy_that_is_off_stays_off_and_the_state_is_chosen():
    written = policy(type="MASKING", policyConfiguration=SWITCHES, result="mask")
    states = [import_policies({**written, "enabled": on}, state="enforce", names=NAMES) for on in (True, False)]
    assert [each.data_protection[0]["state"] for each in states] == ["enforce", "disabled"]


def test_patterns_come_with_their_flags_unless_they_are_off():
    switches = {"customMaskingRegexIds": ["r1", "r2"]}
    result = imported(policy(type="MASKING", result="mask", policyConfiguration=switches), WITH_PATTERNS)
    assert result.data_protection == (rule(custom=[{"name": "order", "pattern": "(?i)ORD-[0-9]{10}"}]),)


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        (Pattern("o", "a(?=b)", "", is_enabled=True), "p: `custom[0].pattern`: not a pattern that RE2"),
        (Pattern("email", "a", "", is_enabled=True), "p: `custom[0].name`: a detector of ours is called that"),
        (Pattern("o", "a", "y", is_enabled=True),
         "p: policyConfiguration.customMaskingRegexIds: pattern `o`: the flag `y` has no equivalent here"),
    ],
)  # fmt: skip
def test_pattern_that_has_no_equivalent_is_an_error(pattern, error):
    names = ImportNames("billing", TOOLS, {}, {"r1": pattern})
    written = policy(type="MASKING", result="mask", policyConfiguration={"customMaskingRegexIds": ["r1"]})
    result = imported(written, names)
    assert result.data_protection == () and result.errors[0].startswith(error)


def test_flat_policy_names_detectors_as_it_likes():
    written = {"name": "p", "action": "mask", "tools": ["refund"], "conditions": [{**IN_EU, "value": ["DE", "FR"]}]}
    result = imported({**written, "detectors": ["creditCard", "us_ssn", "cvv_cvc", "CREDIT_CARD"]})
    assert result.data_protection == (rule("credit_card", "us_ssn", "cvv", when=[EU]),)


def test_state_of_terraform_has_policies_and_patterns():
    regex = {
        "id": "r1",
        "application_id": "shop",
        "name": "order",
        "pattern": "ORD-[0-9]{10}",
        "flags": None,
        "enabled": True,
    }
    values = {**MASKING, "custom_masking_regex_ids": ["r1"]}
    result = imported(
        state(
            resource("agenco_masking_policy", **values),
            resource("agenco_custom_masking_regex", **regex),
            resource("agenco_conditional_policy", **VALUES),
        )
    )
    assert [each["name"] for each in result.policies] == ["p"]
    custom = [{"name": "order", "pattern": "ORD-[0-9]{10}"}]
    assert result.data_protection == (
        {**rule("credit_card", "cvv", custom=custom), "name": "m", "tools": ["billing/*"]},
    )


def test_older_provider_has_a_switch_for_each_detector():
    values = {
        "id": "m1", "name": "m", "enabled": True, "app_ids": None, "tenant_id": None, "internal_tool_ids": ["t1"],
        "policy_configuration": {"credit_card": True, "us_ssn": True, "url": False},
    }  # fmt: skip
    result = imported(state(resource("agentlink_masking_policy", **values)))
    assert result.data_protection == ({**rule("credit_card", "us_ssn"), "name": "m"},)


def test_list_of_patterns_is_read_and_what_is_none_is_left_out():
    listed = [{"id": "r", "name": "n", "pattern": "p", "flags": "g", "enabled": False}, {"id": "x"}, 5]
    assert read_patterns(listed) == {"r": Pattern("n", "p", "g", is_enabled=False)}
    assert read_patterns({"items": [{"id": "r", "name": "n", "pattern": "p"}]}) == {
        "r": Pattern("n", "p", "", is_enabled=True)
    }


def test_rule_that_was_imported_is_a_configuration_that_loads(tmp_path):
    rules = imported(policy(IN_EU, type="MASKING", result="mask", policyConfiguration=SWITCHES)).data_protection
    text = "country_header: cf-ipcountry\ntrusted_proxies: [192.0.2.0/24]\n"
    built = draft(tmp_path, GOOD + text + yaml.safe_dump({"data_protection": list(rules)}))
    assert list(built.rules.protection_rules) == ["p"]


def test_command_prints_both_sections_and_takes_patterns(tmp_path):
    switches = {"creditCard": True, "customMaskingRegexIds": ["r1"]}
    masks = policy(IN_EU, name="masks", type="MASKING", result="mask", policyConfiguration=switches, internalToolIds=[])
    denies = policy(BIG, name="denies", internalToolIds=[])
    file = save(tmp_path, [masks, denies], "agen.json")
    patterns = save(tmp_path, [{"id": "r1", "name": "order", "pattern": "ORD-[0-9]+"}], "patterns.json")
    told = run("import", file, "--server", "crm", "--patterns", patterns)
    printed = yaml.safe_load(told.stdout)
    assert (told.exit_code, [each["name"] for each in printed["policies"]]) == (0, ["denies"])
    assert printed["data_protection"][0]["custom"] == [{"name": "order", "pattern": "ORD-[0-9]+"}]
    assert told.stderr == "these policies need more of the configuration: set `country_header`\n"
    alone = run("import", save(tmp_path, masks), "--server", "crm", "--patterns", patterns, "--json")
    assert list(json.loads(alone.stdout)) == ["data_protection"]


def test_detectors_of_agen_are_known_under_the_names_of_api_and_terraform():
    assert [find_id(name) for name in ("creditCard", "usSsn", "ukNhs", "cvvCvc")] == [
        "credit_card", "us_ssn", "uk_nhs", "cvv",
    ]  # fmt: skip
