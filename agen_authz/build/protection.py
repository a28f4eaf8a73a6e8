"""Data-protection rules of the configuration: which calls each is about, and what it masks."""

from collections.abc import Mapping

from agen_authz.build.policy import NOT_COMPILED, Compiled, build_conditions, build_selectors
from agen_authz.config import Config
from agen_authz.config.secret import SigningKeys
from agen_authz.config.sections.protection import OTHERS, Protection, choose_detectors
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer, Rule
from agen_authz.core.masking.selection import Custom, find_id
from agen_authz.core.masking.style import MaskingKeys
from agen_authz.core.model import Effect, State
from agen_authz.core.policy.table import Policy, PolicyTable, compile_policies


def build_protections(config: Config, compiled: Compiled = NOT_COMPILED) -> PolicyTable:
    """Build what says which calls each rule is about."""
    return compile_policies([build_target(rule, compiled) for rule in config.data_protection])


def build_target(rule: Protection, compiled: Compiled = NOT_COMPILED) -> Policy:
    """Build what says which calls one rule is about.

    Args:
        compiled: `Loaded.conditions`; a condition that is not among them is compiled here.
    """
    return Policy(
        name=rule.name,
        state=State(rule.state),
        effect=Effect.MASK,
        selectors=build_selectors(rule),
        conditions=build_conditions(rule.when, compiled),
    )


def build_protection_rules(config: Config) -> Mapping[str, Rule]:
    """Build what each rule masks, by its name and in the order of the file; disabled ones are left out."""
    return {rule.name: _build_rule(rule) for rule in config.data_protection if rule.state != "disabled"}


def build_masking_keys(keys: SigningKeys) -> MaskingKeys | None:
    """Build the keys of `hash` and `tokenize`; None if there are none."""
    return MaskingKeys(keys) if keys else None


def _build_rule(rule: Protection) -> Rule:
    customs = rule.custom or ()
    written = {name: Style(style) for name, style in (rule.style or {}).items()}
    removed = rule.detectors.remove or () if rule.detectors is not None else ()
    kept = [each for each in customs if each.name not in removed]
    return Rule(
        name=rule.name,
        detectors=choose_detectors(rule).add_customs(Custom(each.name, each.pattern) for each in kept),
        is_enforced=rule.state == "enforce",
        styles={each.name: Style(each.style) for each in customs}
        | {find_id(name) or name: style for name, style in written.items() if name != OTHERS},
        default=written.get(OTHERS),
        exempt=tuple(map(_read_pointer, rule.exempt_paths or ())),
        passes_binary=rule.binary == "pass",
        passes_unreadable=rule.on_failure == "pass",
    )


def _read_pointer(pointer: str) -> Pointer:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
