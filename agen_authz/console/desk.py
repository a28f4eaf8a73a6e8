"""Requests as a person may see and decide them; the pages and the API do it here, by the same rules.

1. What a person may not see does not exist for them.
2. A decision is about the request as it was shown, with so many votes: no approver approves another step than they saw.
3. `vote` decides whether it counts, `ApprovalStore.change` whether it was the first; `tell` lists who gets a message.
4. A person approves only what can be shown to them.
5. Arguments are unmasked for those who may, and only once that is written down.
"""

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.approval_change import write_change
from agen_authz.console.call_view import view_call
from agen_authz.console.place import REQUEST_ID
from agen_authz.console.session import ConsoleSession
from agen_authz.console.settings import ConsolePorts
from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest, Progress
from agen_authz.core.approval.table import Refusal, is_admin, is_asked, may_see, may_unmask, settle, vote, withdraw
from agen_authz.core.errors import Unavailable
from agen_authz.ports.approval import PageEnd, Query, Viewer
from agen_authz.wire.approval_event import ApprovalWord, By, find_voter, render_approval

_LOG = logging.getLogger(__name__)
_PAGE, _MAX_PAGES = 100, 10
_ATTEMPTS = frozenset(
    {
        Refusal.REQUESTER, Refusal.NOT_REQUESTER, Refusal.NOT_APPROVER, Refusal.OTHER_TENANT, Refusal.DECIDED_ALREADY,
    }
)  # fmt: skip


class SeenRequest(Struct, frozen=True):
    """A request that a person may see, as it is now.

    Args:
        request: with what has become of it by now, noted or not.
        flow: that is configured under its name now.
        is_asked: True if the step that waits is theirs to decide, the age of their login apart.
    """

    request: ApprovalRequest
    flow: Flow | None
    is_asked: bool

    @property
    def is_flow_unchanged(self) -> bool:
        """True if the flow is still the one that was asked."""
        return self.flow is not None and self.flow.digest == self.request.flow_digest


class FoundRequests(Struct, frozen=True):
    """Requests that a person may see; `end` is where this page ended, if there is another one."""

    items: tuple[SeenRequest, ...]
    end: PageEnd | None


class Obstacle(StrEnum):
    """Why nothing was decided, besides the refusals of the rules."""

    GONE = "gone"
    CHANGED = "changed"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Desk:
    """Reads requests and decides them."""

    ports: ConsolePorts

    async def find(self, session: ConsoleSession, request_id: str) -> SeenRequest | None:
        """Find a request that this person may see."""
        request = await self._read(session, request_id)
        return None if request is None else self._see(session, request)

    async def _read(self, session: ConsoleSession, request_id: str) -> ApprovalRequest | None:
        """Read a request that this person may see, as it is kept: what has ended by now may not be noted in it."""
        request = await self.ports.approvals.get(request_id) if REQUEST_ID.fullmatch(request_id) else None
        if request is None:
            return None
        rules = self.ports.rules()
        return request if may_see(request, rules.flows.get(request.flow), session.approver, rules.terms) else None

    def _see(self, session: ConsoleSession, request: ApprovalRequest) -> SeenRequest | None:
        rules, approver = self.ports.rules(), session.approver
        flow = rules.flows.get(request.flow)
        if not may_see(request, flow, approver, rules.terms):
            return None
        settled = settle(request, flow, rules.terms, self.ports.clock.now())
        return SeenRequest(settled, flow, is_asked(settled, flow, approver, rules.terms))

    async def list_waiting(self, session: ConsoleSession) -> FoundRequests:
        """List what waits for this person, what ends first at the beginning."""
        query = Query(statuses=frozenset({Progress.OPEN}), ends_first=True)
        found = await self._list(session, query, _PAGE * _MAX_PAGES)
        return FoundRequests(tuple(each for each in found.items if each.is_asked), found.end)

    async def list_some(self, session: ConsoleSession, query: Query, count: int) -> FoundRequests:
        """List requests that this person may see, in the order of the query."""
        return await self._list(session, query, count)

    async def _list(self, session: ConsoleSession, query: Query, count: int) -> FoundRequests:
        # Admins see every tenant's. Of others, what is asked in another tenant takes no place in their list.
        viewer = None if self.is_admin(session) else Viewer(session.approver.tenant, session.approver.owner)
        query = replace(query, limit=_PAGE, viewer=viewer)
        items: list[SeenRequest] = []
        for _ in range(_MAX_PAGES):
            page = await self.ports.approvals.list(query)
            for request in page:
                if len(items) == count:
                    return FoundRequests(tuple(items), _find_end(items[-1].request, query))
                seen = self._see(session, request)
                if seen is not None and (not query.statuses or seen.request.status in query.statuses):
                    items.append(seen)
            if len(page) < _PAGE:
                return FoundRequests(tuple(items), None)
            query = replace(query, after=_find_end(page[-1], query))
        return FoundRequests(tuple(items), query.after)

    async def decide(
        self, session: ConsoleSession, request_id: str, *, approves: bool, reason: str, votes: int
    ) -> SeenRequest | Refusal | Obstacle:
        """Decide a request for this person, if the rules let them."""
        request = await self._read(session, request_id)
        if request is None:
            return Obstacle.GONE
        if len(request.votes) != votes:
            return Obstacle.CHANGED
        rules, now = self.ports.rules(), self.ports.clock.now()
        flow = rules.flows.get(request.flow)
        after = vote(request, flow, session.approver, rules.terms, approves=approves, reason=reason, now=now)
        if isinstance(after, Refusal):
            return await self._refuse(session, request, after)
        if approves and not await self._is_seen(session, request, flow):
            return Obstacle.UNSEEN
        word = ApprovalWord.APPROVED if approves else ApprovalWord.REJECTED
        if not await self._change(request, after, word):
            return Obstacle.CHANGED
        return self._see(session, after) or Obstacle.GONE

    async def withdraw(self, session: ConsoleSession, request_id: str) -> SeenRequest | Refusal | Obstacle:
        """Withdraw a request for the person who made it, or the approval that it has."""
        request = await self._read(session, request_id)
        if request is None:
            return Obstacle.GONE
        after = withdraw(request, session.approver.owner, self.ports.clock.now())
        if isinstance(after, Refusal):
            return await self._refuse(session, request, after)
        if not await self._change(request, after, ApprovalWord.CANCELLED):
            return Obstacle.CHANGED
        return self._see(session, after) or Obstacle.GONE

    async def _change(self, before: ApprovalRequest, after: ApprovalRequest, word: ApprovalWord) -> bool:
        ports, flow = self.ports, self.ports.rules().flows.get(after.flow)
        if not await write_change(ports.approvals, (before, after), flow, ports.entropy, ports.clock.now()):
            return False
        ports.metrics.count_approval(after.flow, word.value)
        by = find_voter(after) if len(after.votes) > len(before.votes) else None
        await self._tell(word, after, by)
        return True

    async def _refuse(self, session: ConsoleSession, request: ApprovalRequest, refusal: Refusal) -> Refusal:
        """Write down that a person tried what they may not do; a mistake in a form is none of that."""
        if refusal in _ATTEMPTS:
            approver = session.approver
            by = By(approver.owner, approver.email, request.step, refusal=refusal.value)
            self.ports.metrics.count_approval(request.flow, ApprovalWord.REFUSED.value)
            await self._tell(ApprovalWord.REFUSED, request, by)
        return refusal

    async def _tell(self, word: ApprovalWord, request: ApprovalRequest, by: By | None) -> None:
        try:
            await self._record(word, request, by)
        except Unavailable:
            # What was decided is in the store, with who did it: a lost event must not look like a lost decision.
            _LOG.error("a change of a request could not be written to the audit log", extra={"approval": request.id})

    async def _is_seen(self, session: ConsoleSession, request: ApprovalRequest, flow: Flow | None) -> bool:
        # 4.
        shown = () if flow is None else flow.show_arguments
        kept = await self.ports.approvals.read_kept(request.id)
        call = await asyncio.to_thread(view_call, request.binding, kept, shown, is_clear=False)
        return call.is_seen_by(may_unmask=self.may_unmask(session))

    def may_unmask(self, session: ConsoleSession) -> bool:
        """True if this person may see arguments unmasked."""
        return may_unmask(session.approver, self.ports.rules().terms)

    def is_admin(self, session: ConsoleSession) -> bool:
        """True if this person sees every request."""
        return is_admin(session.approver, self.ports.rules().terms)

    async def note_unmasked(self, session: ConsoleSession, request: ApprovalRequest) -> None:
        """Write down that this person is shown the arguments.

        Raises:
            Unavailable: it cannot be written, so nothing may be shown.
        """
        approver = session.approver
        await self._record(ApprovalWord.UNMASKED, request, By(approver.owner, approver.email, request.step))
        self.ports.metrics.count_approval(request.flow, ApprovalWord.UNMASKED.value)

    async def _record(self, word: ApprovalWord, request: ApprovalRequest, by: By | None) -> None:
        terms, now = self.ports.rules().event, self.ports.clock.now()
        await self.ports.record(render_approval(word, request, terms, now=now, by=by))


def _find_end(request: ApprovalRequest, query: Query) -> PageEnd:
    return PageEnd(request.ends_at if query.ends_first else request.created_at, request.id)
