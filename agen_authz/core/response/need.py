"""Which calls have their response inspected, and what Process must know about them.

Everything is inspected but the responses to methods that are known to answer nothing a rule is about: so a method
that is added later, or allowed by configuration, is inspected.

Where pins are enforced, a server is not believed: it could answer a list that a client waits for on the response to
any other request, and clients match answers by their id. So every answer to a request is inspected then.

A response that nothing inspects may be sampled: Process then scans a copy, and nothing differs for anyone else.
"""

from agen_authz.core.approval.continuing import may_ask, name_arguments
from agen_authz.core.model import Call, Digest, Effect, Inspection, Shape, State
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.protection import should_hold_anything
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.stage import Read, get_arrived

# Always: the answer gives a session id, or the stream must end when its caller's token expires. Besides these, what may
# make a task, and what is about one.
_ALWAYS = frozenset({"initialize", "subscriptions/listen"})
# What a rule may be about, but no list or pin is.
_NO_LIST = frozenset(
    {
        "ping", "logging/setLevel", "tools/call", "prompts/get", "resources/read", "resources/subscribe",
        "resources/unsubscribe", "completion/complete",
    }
)  # fmt: skip
_NO_ANSWER = frozenset({Shape.NOTIFICATION, Shape.RESPONSE, Shape.END})


def find_inspection(read: Read, protections: tuple[str, ...]) -> Inspection | None:
    """Find out what Process must know to inspect the response to an allowed call; None if nothing inspects it.

    Args:
        protections: the data-protection rules that apply (`Allow.protections`).
    """
    continues = may_be_continued(read)
    if not protections and not continues and not is_inspected(read.call, get_arrived(read).rules):
        return None
    return _tell(read, protections, may_be_continued=continues)


def may_be_continued(read: Read) -> bool:
    """True if a call may be answered with a question, and a policy may want the next call approved."""
    return may_ask(read.call.method, read.call.envelope) and may_need_approval(read)


def may_need_approval(read: Read) -> bool:
    """True if an enforced policy has calls of what this one names approved.

    Its conditions do not count: they may read what the caller answers.
    """
    call, rules = read.call, get_arrived(read).rules
    if not rules.approvals.flows:
        return False
    tenant = read.known.principal.tenant
    named = (policy for target in call.targets for policy in rules.policies.list_for(tenant, target))
    return any(each.effect is Effect.REQUIRE_APPROVAL and each.state is State.ENFORCE for each in named)


def find_sample(read: Read) -> Inspection | None:
    """Find out what Process must know to scan a copy of a response that nothing inspects; None if it holds nothing."""
    return _tell(read, is_sampled=True) if should_hold_anything(read.call) else None


def _tell(
    read: Read, protections: tuple[str, ...] = (), *, may_be_continued: bool = False, is_sampled: bool = False
) -> Inspection:
    call, known = read.call, read.known
    arrived = known.routed.received.arrived
    arguments = name_arguments(call, arrived.rules.approvals.key) if may_be_continued else Digest("")
    return Inspection(
        version=arrived.rules.version,
        request_id=arrived.request_id,
        server=call.server,
        envelope=call.envelope,
        mcp_version=call.version,
        method=call.method,
        target=call.targets[0] if len(call.targets) == 1 else None,
        principal=known.principal,
        context=read.context,
        host=known.routed.received.request.authority,
        declares_url=call.declares_url,
        task_ids=call.task_ids,
        makes_task=call.makes_task,
        protections=protections,
        may_be_continued=may_be_continued,
        arguments=arguments,
        is_sampled=is_sampled,
    )


def is_inspected(call: Call | Inspection, rules: RuleSet) -> bool:
    """True if a response is inspected for another reason than data protection."""
    shape = call.envelope.shape
    if isinstance(call, Inspection) and call.may_be_continued:
        return True
    if shape is Shape.STREAM or call.method in _ALWAYS or call.makes_task or call.task_ids:
        return True
    if shape in _NO_ANSWER:
        return False
    if rules.pinning is Pinning.ENFORCE:
        return True
    return call.method not in _NO_LIST and (rules.filters_lists or rules.pinning is not Pinning.OFF)
