"""The console for a command line: JSON, a bearer token, and the same rules as the pages.

Nothing here reads a cookie, and the guard lets no browser in: what a page of another site sends has no effect.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agen_authz.console.call_view import spell_no_tool, view_call, view_tool
from agen_authz.console.console import Console
from agen_authz.console.desk import Obstacle, SeenRequest
from agen_authz.console.form import read_body, read_query
from agen_authz.console.request_view import (
    find_options,
    find_policy,
    list_history,
    list_steps,
    spell_end,
    spell_reach,
    spell_target,
    spell_timeout,
    warn_of_policy,
)
from agen_authz.console.session import ConsoleSession
from agen_authz.console.settings import PolicyView
from agen_authz.console.spelling import Line
from agen_authz.core.approval.request import ApprovalRequest, Binding, Progress
from agen_authz.core.approval.table import REFUSALS, Refusal
from agen_authz.core.model import Json
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.core.strict_json import parse_json
from agen_authz.ports.approval import Query

_MAX_DEPTH = 4
_MAX_LISTED = 200
_GONE = ("not_found", "there is no such request, or none that you may see")
_CHANGED = ("changed", "another approver has decided a part of this request meanwhile; look at it again")
_UNSEEN = ("unseen", "the arguments cannot be shown to you, so you cannot approve the call; you may reject it")
_UNREADABLE = ("malformed", "the body must be JSON: {approves, reason, votes}")

_Answer = Callable[["RequestApi", Request, ConsoleSession], Awaitable[Response]]


def refuse(status: int, why: tuple[str, str]) -> Response:
    """Answer with a word and a sentence."""
    return JSONResponse({"error": why[0], "message": why[1]}, status)


def _for_terminals(answer: _Answer) -> Callable[["RequestApi", Request], Awaitable[Response]]:
    @wraps(answer)
    async def answered(api: "RequestApi", request: Request) -> Response:
        session = await api.console.find_terminal(request)
        if session is None:
            refused = refuse(401, ("signed_out", "this terminal is not signed in, or not any longer"))
            refused.headers["www-authenticate"] = "Bearer"
            return refused
        return await answer(api, request, session)

    return answered


@dataclass(frozen=True, slots=True)
class RequestApi:
    """Requests for approval, as JSON."""

    console: Console

    @_for_terminals
    async def list_all(self, request: Request, session: ConsoleSession) -> Response:
        """List what waits for this person (`status=waiting`, or none given), or what has a status (`all` for any)."""
        status = (read_query(request) or {}).get("status", "waiting")
        desk = self.console.desk
        if status == "waiting":
            found = await desk.list_waiting(session)
        elif status == "all" or status in set(Progress):
            statuses = frozenset() if status == "all" else frozenset({Progress(status)})
            found = await desk.list_some(session, Query(statuses=statuses), _MAX_LISTED)
        else:
            words = ", ".join(["waiting", "all", *Progress])
            return refuse(400, ("malformed", f"status must be one of {words}"))
        return JSONResponse({"requests": [_summarize(each) for each in found.items], "is_cut": found.end is not None})

    @_for_terminals
    async def show(self, request: Request, session: ConsoleSession) -> Response:
        """Show one request."""
        seen = await self.console.desk.find(session, request.path_params["id"])
        return refuse(404, _GONE) if seen is None else JSONResponse(await self._describe(seen, session))

    @_for_terminals
    async def decide(self, request: Request, session: ConsoleSession) -> Response:
        """Approve or reject."""
        raw = await read_body(request)
        document = None if raw is None else parse_json(raw, _MAX_DEPTH)
        if not isinstance(document, dict):
            return refuse(400, _UNREADABLE)
        approves, reason, votes = document.get("approves"), document.get("reason", ""), document.get("votes")
        is_count = isinstance(votes, int) and not isinstance(votes, bool)
        if not isinstance(approves, bool) or not isinstance(reason, str) or not is_count:
            return refuse(400, _UNREADABLE)
        assert isinstance(votes, int)  # noqa: S101 - checked above
        request_id = request.path_params["id"]
        outcome = await self.console.desk.decide(session, request_id, approves=approves, reason=reason, votes=votes)
        return await self._tell(outcome, session)

    @_for_terminals
    async def withdraw(self, request: Request, session: ConsoleSession) -> Response:
        """Withdraw a request: the person who made it."""
        return await self._tell(await self.console.desk.withdraw(session, request.path_params["id"]), session)

    async def _tell(self, outcome: SeenRequest | Refusal | Obstacle, session: ConsoleSession) -> Response:
        match outcome:
            case SeenRequest():
                return JSONResponse(await self._describe(outcome, session))
            case Refusal():
                return refuse(403, (outcome.value, REFUSALS[outcome]))
            case Obstacle.GONE:
                return refuse(404, _GONE)
            case Obstacle.CHANGED:
                return refuse(409, _CHANGED)
            case Obstacle.UNSEEN:
                return refuse(409, _UNSEEN)

    async def _describe(self, seen: SeenRequest, session: ConsoleSession) -> dict[str, Any]:
        console, request = self.console, seen.request
        shown = seen.flow.show_arguments if seen.flow is not None and seen.is_flow_unchanged else ()
        kept = await console.ports.approvals.read_kept(request.id)
        call = await asyncio.to_thread(view_call, request.binding, kept, shown, is_clear=False)
        rules = console.ports.rules()
        options = find_options(seen, session, rules, console.ports.clock.now())
        history: list[Json] = [
            {"time": each.time, "what": each.what, "who": each.who, "reason": each.reason}
            for each in list_history(seen)
        ]
        return {
            **_summarize(seen),
            **_describe_tool(request.binding, console.ports.catalogue()),
            **_describe_policy(find_policy(seen, rules), request),
            "method": request.binding.method,
            "request_id": request.request_id,
            "client": request.binding.client,
            "issuer": request.binding.issuer,
            "subject": request.binding.subject,
            "timeout": spell_timeout(seen),
            "end": spell_end(request),
            "params": call.params,
            "headers": call.sent,
            "params_problem": call.problem,
            "masked": dict(call.masked),
            "hidden": list(call.hidden),
            "steps": [
                {"name": each.name, "approvals": each.approvals, "quorum": each.quorum, "state": each.state}
                for each in list_steps(seen)
            ],
            "history": history,
            "objection": options.objection,
            "may_withdraw": options.may_withdraw,
            "objection_message": options.sentence,
            "link": console.settings.base_url.rstrip("/") + f"/requests/{request.id}",
        }


def _describe_tool(binding: Binding, catalogue: Catalogue) -> dict[str, Any]:
    tool = view_tool(binding, catalogue)
    if tool is None:
        return {"title": "", "description": "", "definition": None, "tool_note": spell_no_tool(binding)}
    return {
        "title": tool.title,
        "description": "\n".join(_join(each) for each in tool.description),
        "definition": tool.rest,
        "definition_digest": tool.digest,
        "definition_hidden": list(tool.hidden),
        "tool_note": tool.sentence,
    }


def _describe_policy(policy: PolicyView | None, request: ApprovalRequest) -> dict[str, Any]:
    return {
        "policy_message": "" if policy is None else policy.message,
        "policy_warning": warn_of_policy(policy, request),
        "policy_reach": spell_reach(policy),
        "conditions": [] if policy is None else list(policy.conditions),
    }


def _join(line: Line) -> str:
    return "".join(piece.text for piece in line)


def _summarize(seen: SeenRequest) -> dict[str, Any]:
    request = seen.request
    return {
        "id": request.id,
        "status": request.status.value,
        "target": spell_target(request),
        "requester": request.requester_email or request.binding.subject,
        "tenant": request.binding.tenant,
        "policy": request.policy,
        "flow": request.flow,
        "votes": len(request.votes),
        "created_at": request.created_at,
        "ends_at": request.ends_at,
        "waits_for_you": seen.is_asked,
    }
