"""Pages about requests: what waits, all of them, one of them, and what is decided there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from agen_authz.console.call_view import spell_no_tool, view_call, view_tool
from agen_authz.console.console import Console
from agen_authz.console.desk import Obstacle, SeenRequest
from agen_authz.console.form import Form, read_query
from agen_authz.console.place import REQUEST_ID
from agen_authz.console.request_view import (
    STATUS_WORDS,
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
from agen_authz.console.sign_in import STALE_FORM
from agen_authz.console.visit import for_people, from_own_form
from agen_authz.core.approval.request import Progress
from agen_authz.core.approval.table import MAX_REASON_CHARS, REFUSALS, Refusal
from agen_authz.ports.approval import PageEnd, Query

_PER_PAGE = 50
_CHANGED = "Another approver has decided a part of this request since you opened it. Look at it again."
_UNSEEN = "The arguments cannot be shown to you, so you cannot approve the call. You may reject it."
_FORBIDDEN = frozenset(
    {
        Refusal.NOT_APPROVER, Refusal.REQUESTER, Refusal.NOT_REQUESTER, Refusal.OTHER_TENANT, Refusal.STALE_LOGIN,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestPages:
    """The pages about requests."""

    console: Console

    @for_people
    async def inbox(self, _request: Request, session: ConsoleSession) -> Response:
        """Show what waits for this person."""
        found = await self.console.desk.list_waiting(session)
        values = {"items": found.items, "target": spell_target, "is_cut": found.end is not None, "here": "/"}
        return self.console.page("inbox.html", values, session=session)

    @for_people
    async def everything(self, request: Request, session: ConsoleSession) -> Response:
        """Show all requests that this person may see."""
        query = read_query(request) or {}
        chosen = {name: query.get(name, "").strip() for name in ("status", "flow", "server")}
        statuses = frozenset({Progress(chosen["status"])} if chosen["status"] in set(Progress) else ())
        wanted = Query(
            statuses=statuses,
            flow=chosen["flow"] or None,
            server=chosen["server"] or None,
            after=_read_end(query.get("after", "")),
        )
        found = await self.console.desk.list_some(session, wanted, _PER_PAGE)
        kept = {name: value for name, value in chosen.items() if value}
        older = "" if found.end is None else urlencode({**kept, "after": f"{found.end.time!r}-{found.end.id}"})
        values = {
            "items": found.items,
            "target": spell_target,
            "words": STATUS_WORDS,
            "chosen": chosen,
            "flows": sorted(self.console.ports.rules().flows),
            "older": older,
            "is_later": "after" in query,
            "here": "/requests",
        }
        return self.console.page("requests.html", values, session=session)

    @for_people
    async def one(self, request: Request, session: ConsoleSession) -> Response:
        """Show one request."""
        seen = await self.console.desk.find(session, request.path_params["id"])
        return self.console.not_found(session) if seen is None else await self._show(seen, session)

    @from_own_form
    async def decide(self, request: Request, session: ConsoleSession, form: Form) -> Response:
        """Approve or reject."""
        desk, request_id, answer = self.console.desk, request.path_params["id"], form.get("answer")
        votes, reason = form.get("votes", ""), form.get("reason", "").replace("\r\n", "\n").strip()
        if answer not in ("approve", "reject") or not votes.isdecimal() or len(votes) > 4:
            return self.console.notice("Nothing was changed", STALE_FORM, session=session, status=400, again="/")
        outcome = await desk.decide(session, request_id, approves=answer == "approve", reason=reason, votes=int(votes))
        if isinstance(outcome, SeenRequest):
            return self.console.redirect(f"/requests/{request_id}")
        return await self._explain(outcome, session, request_id, reason)

    @from_own_form
    async def withdraw(self, request: Request, session: ConsoleSession, _form: Form) -> Response:
        """Withdraw a request: the person who made it."""
        request_id = request.path_params["id"]
        outcome = await self.console.desk.withdraw(session, request_id)
        if isinstance(outcome, SeenRequest):
            return self.console.redirect(f"/requests/{request_id}")
        return await self._explain(outcome, session, request_id, "")

    async def _explain(
        self, outcome: Refusal | Obstacle, session: ConsoleSession, request_id: str, reason: str
    ) -> Response:
        """Show the request again, and why nothing was decided; what was typed is kept."""
        seen = await self.console.desk.find(session, request_id)
        if seen is None or outcome is Obstacle.GONE:
            return self.console.not_found(session)
        if isinstance(outcome, Refusal):
            status = 403 if outcome in _FORBIDDEN else 409
            return await self._show(seen, session, {"alert": REFUSALS[outcome], "reason": reason}, status)
        alert = _UNSEEN if outcome is Obstacle.UNSEEN else _CHANGED
        return await self._show(seen, session, {"alert": alert, "reason": reason}, 409)

    @from_own_form
    async def unmask(self, request: Request, session: ConsoleSession, _form: Form) -> Response:
        """Show the arguments unmasked, once, to those who may; it is written down before."""
        desk = self.console.desk
        seen = await desk.find(session, request.path_params["id"])
        if seen is None:
            return self.console.not_found(session)
        if not desk.may_unmask(session):
            return await self._show(seen, session, {"alert": "You may not see arguments unmasked."}, 403)
        await desk.note_unmasked(session, seen.request)
        return await self._show(seen, session, {"is_clear": True})

    async def _show(
        self, seen: SeenRequest, session: ConsoleSession, more: Mapping[str, Any] | None = None, status: int = 200
    ) -> Response:
        console, rules, now = self.console, self.console.ports.rules(), self.console.ports.clock.now()
        extra = {"alert": "", "reason": "", "is_clear": False, **(more or {})}
        request, flow = seen.request, seen.flow
        # Only what this very flow shows: another flow of the same name may show more.
        shown = flow.show_arguments if flow is not None and seen.is_flow_unchanged else ()
        kept = await console.ports.approvals.read_kept(request.id)
        # Searching takes a while where it is done first, and the pages of others must not wait for it.
        call = await asyncio.to_thread(view_call, request.binding, kept, shown, is_clear=extra["is_clear"])
        policy = find_policy(seen, rules)
        values = {
            "seen": seen,
            "item": request,
            "target": spell_target(request),
            "status_word": STATUS_WORDS[request.status],
            "end": spell_end(request),
            "call": call,
            "tool": view_tool(request.binding, console.ports.catalogue()),
            "no_tool": spell_no_tool(request.binding),
            "policy": policy,
            "policy_warning": warn_of_policy(policy, request),
            "reach": spell_reach(policy),
            "timeout": spell_timeout(seen),
            "steps": list_steps(seen),
            "history": list_history(seen),
            "options": find_options(seen, session, rules, now),
            "may_unmask": console.desk.may_unmask(session),
            "max_reason": MAX_REASON_CHARS,
            "here": "/requests",
            **extra,
        }
        return console.page("request.html", values, session=session, status=status)


def _read_end(text: str) -> PageEnd | None:
    moment, _, request_id = text.partition("-")
    if not REQUEST_ID.fullmatch(request_id):
        return None
    try:
        time = float(moment)
    except ValueError:
        return None
    return PageEnd(time, request_id) if 0 <= time < 1e11 else None
