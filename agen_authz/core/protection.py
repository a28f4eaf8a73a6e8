"""Which data-protection rules apply to what comes back of a call; pure, and total.

1. what a call names decides, if its response is about that: a rule applies if its conditions hold, and also if they
   cannot be evaluated
2. any other response may be about anything of the server (lists, streams, tasks, subscriptions): every rule applies
   that may be about something there, unless a condition about the caller alone is false. So may one that should hold
   nothing (to a notification, a posted response, `ping`): servers send errors and streams there, too
"""

from agen_authz.core.model import Call, Facts, Principal, Shape, Target, TargetKind
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy
from agen_authz.core.policy.work import Work
from agen_authz.core.ruleset import RuleSet

_EMPTY = frozenset({Shape.NOTIFICATION, Shape.RESPONSE, Shape.END})
# The response is about what these name.
_ABOUT_TARGETS = frozenset(
    {
        "tools/call", "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe",
        "completion/complete",
    }
)  # fmt: skip


def find_protections(
    call: Call, principal: Principal, facts: Facts, rules: RuleSet, *, work: Work | None = None
) -> tuple[Policy, ...]:
    """Find the rules that apply, in the order of the configuration, those in shadow included.

    Args:
        work: what the decision has cost so far; conditions beyond its limits cannot be evaluated.
    """
    if not rules.protection_rules:
        return ()
    work = work or Work()
    # 1.
    if names_its_answer(call):
        found = {
            match.policy.name: match.policy
            for target in call.targets
            for match in rules.protections.evaluate(Situation(principal, call, target, facts, work))
        }
        return tuple(found[name] for name in rules.protection_rules if name in found)
    # 2.
    anything = Target(TargetKind.TOOL, call.server, "")
    return rules.protections.list_possible(Situation(principal, call, anything, facts, work))


def should_hold_anything(call: Call) -> bool:
    """True if the response to a call holds something if the server does as it should."""
    return call.envelope.shape not in _EMPTY and call.method != "ping"


def names_its_answer(call: Call) -> bool:
    """True if the response to a call is about what the call names, and about nothing else."""
    return call.method in _ABOUT_TARGETS and bool(call.targets) and not call.task_ids
