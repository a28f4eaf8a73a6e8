"""What a client gets whose call must be approved first: the page, in the way that it can follow.

    uses tasks                modern   tools/call, with `approvals.tasks`         a task (wire/approval_task.py)
    opens URLs                modern   tools/call, resources/read, prompts/get   `input_required` (SEP-2322, MRTR)
                              legacy   any request                               error -32042 (2025-11-25, URL mode)
    otherwise                 both     tools/call                                a result with `isError`
    none of these             both                                               an error of ours that names the page

`requestState` is left out: a client sends none back that it did not get, so nothing of ours reaches the backend. The
link holds the request's id, and no secret: who opens it signs in.
"""

from typing import Any

import orjson

from agen_authz.core.approval.parameters import ANSWER_KEY
from agen_authz.core.approval.task import name_task
from agen_authz.core.model import Approval, AwaitApproval, Era
from agen_authz.core.reason import REFUSALS, Reason
from agen_authz.core.response.failure import bind_error
from agen_authz.core.stage import Judged, Read, get_arrived
from agen_authz.wire.approval_task import render_new_task
from agen_authz.wire.refusal import JSON_TYPE, NO_STORE, HttpAnswer

# MCP 2025-11-25, URLElicitationRequiredError.
_URL_REQUIRED = -32042
# MCP 2026-07-28: only these may ask for input.
_ASKS_FOR_INPUT = frozenset({"tools/call", "resources/read", "prompts/get"})
_AGAIN = "Make the same call again once it is approved; it can then be made once."


def render_approval(decision: AwaitApproval, judged: Judged) -> HttpAnswer:
    """Render where the call is approved, bound to the message's own id."""
    read = judged.stage
    is_modern, method = decision.envelope.era is Era.MODERN, read.call.method
    task_id = _find_task(judged)
    if task_id is not None:
        answer = _bind_result(decision, render_new_task(task_id, judged.requests, read))
    elif decision.opens_urls and is_modern and method in _ASKS_FOR_INPUT:
        answer = _bind_result(decision, _ask_for_input(decision, read))
    elif decision.opens_urls and not is_modern:
        answer = bind_error(decision.envelope, _require_urls(decision, read))
    elif method == "tools/call":
        answer = _bind_result(decision, _fail_tool(decision, read))
    else:
        answer = bind_error(decision.envelope, _refuse(decision, read))
    return HttpAnswer(200, (JSON_TYPE, NO_STORE), orjson.dumps(answer).decode("utf-8"))


def _find_task(judged: Judged) -> str | None:
    """Name the task that the client gets; None if it cannot use one, or is not to get one."""
    call, rules = judged.stage.call, get_arrived(judged.stage).rules.approvals
    can_poll = call.makes_task and call.envelope.era is Era.MODERN
    return name_task([each.id for each in judged.requests]) if can_poll and rules.answers_with_tasks else None


def _bind_result(decision: AwaitApproval, result: dict[str, Any]) -> dict[str, Any]:
    if decision.envelope.era is Era.MODERN:
        result = {"resultType": "complete", **result}
    return {"jsonrpc": "2.0", "id": decision.envelope.id, "result": result}


def _ask_for_input(decision: AwaitApproval, read: Read) -> dict[str, Any]:
    # One page at a time: the next answer names what is still missing.
    params = {"mode": "url", **_page(decision.wanted[0], read)}
    return {
        "resultType": "input_required",
        "inputRequests": {ANSWER_KEY: {"method": "elicitation/create", "params": params}},
    }


def _require_urls(decision: AwaitApproval, read: Read) -> dict[str, Any]:
    pages = [{"mode": "url", "elicitationId": each.request, **_page(each, read)} for each in decision.wanted]
    message = REFUSALS[Reason.APPROVAL_REQUIRED].message
    return {"code": _URL_REQUIRED, "message": message, "data": {**_details(read), "elicitations": pages}}


def _fail_tool(decision: AwaitApproval, read: Read) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": _describe(decision, read)}], "isError": True}


def _refuse(decision: AwaitApproval, read: Read) -> dict[str, Any]:
    urls = [_link(each, read) for each in decision.wanted]
    code = REFUSALS[Reason.APPROVAL_REQUIRED].code
    return {"code": code, "message": _describe(decision, read), "data": {**_details(read), "urls": urls}}


def _details(read: Read) -> dict[str, Any]:
    return {"reason": Reason.APPROVAL_REQUIRED.value, "request_id": get_arrived(read).request_id}


def _page(approval: Approval, read: Read) -> dict[str, str]:
    message = approval.message or REFUSALS[Reason.APPROVAL_REQUIRED].message
    return {"message": f"{message} {_AGAIN}", "url": _link(approval, read)}


def _describe(decision: AwaitApproval, read: Read) -> str:
    messages = dict.fromkeys(each.message for each in decision.wanted if each.message is not None)
    said = " ".join((*messages, REFUSALS[Reason.APPROVAL_REQUIRED].message))
    links = " and ".join(_link(each, read) for each in decision.wanted)
    # Last, so that no full stop is taken for a part of the address.
    return f"{said} {_AGAIN} The request: {links}"


def _link(approval: Approval, read: Read) -> str:
    return get_arrived(read).rules.approvals.link(approval.request)
