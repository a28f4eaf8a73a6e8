"""Which responses may pass though they cannot be read: too large, compressed, or not what they should be.

That is what a data-protection rule with `on_failure: pass` asks for, and only such rules may be asked. So a response
passes unread if every enforced rule of its call says so, and if nothing else has to read it:

    pins are enforced            a server could hide a list that was changed in a body that is not read
    lists are filtered, pinned   so that the caller sees what is theirs, and the store learns of definitions
    `initialize`                 gives out the session; what is left out of it must not come back unread
    tasks                        a task is bound to its caller before the id leaves
    streams                      what comes on them may be any of these
    approvals                    a state that comes with a question is noted before it leaves
"""

from agen_authz.core.model import Inspection
from agen_authz.core.response.need import is_inspected
from agen_authz.core.ruleset import RuleSet


def may_pass_unread(inspection: Inspection, rules: RuleSet) -> bool:
    """True if what cannot be read of a response may pass as it came."""
    if is_inspected(inspection, rules):
        return False
    applied = [rules.protection_rules.get(name) for name in inspection.protections]
    # A rule in shadow changes nothing, so it stops nothing either.
    return all(rule is not None and (rule.passes_unreadable or not rule.is_enforced) for rule in applied)


def is_watched(inspection: Inspection, rules: RuleSet) -> bool:
    """True if a response passes as it is because only rules in shadow are about it: they read a copy."""
    if not inspection.protections or is_inspected(inspection, rules):
        return False
    applied = [rules.protection_rules.get(name) for name in inspection.protections]
    return all(rule is not None and not rule.is_enforced for rule in applied)
