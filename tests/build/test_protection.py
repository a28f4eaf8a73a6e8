"""Data-protection rules of a file: which calls each is about, what it masks, and with which keys."""

from agen_authz.authoring.draft import build_draft
from agen_authz.build.protection import build_masking_keys, build_protection_rules, build_protections
from agen_authz.build.ruleset import build_rules
from agen_authz.config import load
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Rule
from agen_authz.core.masking.selection import Custom, Detectors
from agen_authz.core.masking.style import MaskingKeys
from agen_authz.core.model import Effect, State, Target, TargetKind
from tests.config.test_mistakes import GOOD

TEXT = (
    GOOD
    + """\
data_protection:
  - name: everything
    state: enforce
    tools: ["CRM/get_*"]
    resources: ["crm/note://**"]
    when: ['user.claims.team == "red"']
    presets: [pci]
    detectors: {add: [usSsn], remove: [CREDIT_CARD]}
    custom: [{name: order-ref, pattern: "ORD-[0-9]{8}", style: last4}, {name: part-ref, pattern: "P-[0-9]{8}"}]
    style: {default: redact, us_ssn: hash, cvvCvc: drop, part-ref: generalize}
    exempt_paths: ["/result/a~1b/~0c/*", /result]
    binary: pass
    on_failure: pass
  - {name: little, state: shadow, detectors: {add: [us_ssn]}}
  - {name: asleep, state: disabled, presets: [pii]}
unruled_sample: 25%
masking_keys: [{id: new, secret_file: /new}, {id: old, secret_file: /old}]
"""
)


def loaded_from(folder, text=TEXT):
    file = folder / "agen.yaml"
    file.write_text(text, "utf-8")
    return load(file, secrets=False, environ={})


def test_everything_that_a_rule_masks_is_built(tmp_path):
    rules = build_protection_rules(loaded_from(tmp_path).config)
    customs = (Custom("order-ref", "ORD-[0-9]{8}"), Custom("part-ref", "P-[0-9]{8}"))
    assert list(rules) == ["everything", "little"]
    assert rules["everything"] == Rule(
        "everything",
        Detectors.preset("pci").add("us_ssn").remove("credit_card").add_customs(customs),
        is_enforced=True,
        styles={
            "order-ref": Style.LAST4, "part-ref": Style.GENERALIZE, "us_ssn": Style.HASH, "cvv": Style.DROP,
        },
        default=Style.REDACT,
        exempt=(("result", "a/b", "~c", "*"), ("result",)),
        passes_binary=True,
        passes_unreadable=True,
    )  # fmt: skip
    assert rules["little"] == Rule("little", Detectors.of("us_ssn"), is_enforced=False)


def test_pattern_that_a_rule_removes_is_not_searched_for(tmp_path):
    rule = "{name: r, state: enforce, custom: [{name: a, pattern: a}, {name: b, pattern: b}], detectors: {remove: [a]}}"
    rules = build_protection_rules(loaded_from(tmp_path, f"{GOOD}data_protection: [{rule}]\n").config)
    assert rules["r"].detectors.customs == (Custom("b", "b"),)


def test_table_says_which_calls_each_rule_is_about(tmp_path):
    table = build_protections(loaded_from(tmp_path).config)
    first, second = table.list_for("acme", Target(TargetKind.TOOL, "crm", "get_x"))
    assert (first.name, first.state, first.effect) == ("everything", State.ENFORCE, Effect.MASK)
    assert first.selectors == ((TargetKind.TOOL, "CRM/get_*"), (TargetKind.RESOURCE, "crm/note://**"))
    assert [each.text for each in first.conditions] == ['user.claims.team == "red"']
    assert (second.name, second.state, second.selectors) == ("little", State.SHADOW, ())
    assert "user.claims" in table.reads


def test_rule_set_has_what_checks_and_masks(tmp_path):
    loaded = loaded_from(tmp_path)
    held = (("new", b"n" * 32), ("old", b"o" * 32))
    rules = build_rules(
        loaded.config, version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32, signing_keys={},
        masking_keys=held, compiled=loaded.conditions,
    )  # fmt: skip
    assert (rules.unruled_sample, rules.masking_keys) == (0.25, MaskingKeys(held))
    assert list(rules.protection_rules) == ["everything", "little"]
    # A condition of a rule reads them, though no policy does.
    assert rules.keeps_claims
    (condition,) = rules.protections.list_for("", Target(TargetKind.TOOL, "crm", "get_x"))[0].conditions
    assert condition is loaded.conditions['user.claims.team == "red"']


def test_without_keys_there_are_none_and_one_in_a_hundred_is_sampled(tmp_path):
    rules = build_rules(
        loaded_from(tmp_path, GOOD).config, version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32,
        signing_keys={},
    )  # fmt: skip
    assert (rules.masking_keys, rules.unruled_sample, dict(rules.protection_rules)) == (None, 0.01, {})
    assert build_masking_keys(()) is None


def test_draft_has_disabled_rules_too(tmp_path):
    assert list(build_draft(loaded_from(tmp_path)).protections) == ["everything", "little", "asleep"]
