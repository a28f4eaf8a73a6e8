"""What Check tells Process about one call, so that the response can be inspected as the call was decided."""

from msgspec import Struct

from agen_authz.core.model.call import Envelope, Target
from agen_authz.core.model.facts import Context
from agen_authz.core.model.principal import Principal
from agen_authz.core.model.value import Digest


class Inspection(Struct, frozen=True):
    """One call whose response is inspected.

    Args:
        version: names the RuleSet that decided the call; `mcp_version` is the version of MCP that the call speaks.
        envelope: of the call; an error in place of the response is bound to it.
        target: what the call names, if it names one thing; of a task the tool that made it.
        task_ids: the tasks that the call is about; each is its caller's.
        makes_task: True if the call may be answered with a new task.
        declares_url: True if an `initialize` declared that the client opens URLs (`elicitation.url`).
        host: the authority of the request.
        protections: names the data-protection rules that apply, in the order of the configuration.
        may_be_continued: True if a policy may want what the call names approved, so that a state is noted which comes
            back with a question (core/approval/continuing.py).
        arguments: names the arguments of a call that may be continued, by a keyed digest.
        is_sampled: True if nothing inspects the response, and a copy of it is scanned: not one byte of it may change.
    """

    version: str
    request_id: str
    server: str
    envelope: Envelope
    mcp_version: str
    method: str
    target: Target | None
    principal: Principal
    context: Context
    host: str
    declares_url: bool = False
    task_ids: tuple[str, ...] = ()
    makes_task: bool = False
    protections: tuple[str, ...] = ()
    may_be_continued: bool = False
    arguments: Digest = Digest("")
    is_sampled: bool = False
