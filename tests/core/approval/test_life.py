"""The whole life of requests, with many people, clocks that go on, restarts, stale copies and flows that change.

What was accepted is written down, and judged without the code under test: who is which human is known here.
"""

from collections import Counter
from itertools import count
from typing import Any, ClassVar, NamedTuple

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from msgspec.structs import replace

from agen_authz.core.approval.flow import Approvers, Flow, FlowStep
from agen_authz.core.approval.open import open_request
from agen_authz.core.approval.request import LIVE, ApprovalRequest, Notice, Occasion, Progress
from agen_authz.core.approval.table import (
    Approver,
    Refusal,
    is_asked,
    is_refused,
    is_usable,
    pass_time,
    use,
    vote,
    withdraw,
)
from agen_authz.core.approval.tell import tell
from agen_authz.core.model import Digest, Owner, Subject
from tests.builders import NOW
from tests.core.approval.rig import BINDING, HERE, TERMS, THERE


class Account(NamedTuple):
    """An account, and the human whose it is."""

    human: str
    subject: str
    at_home: bool = True
    email: str = ""
    tenant: str = "acme"
    roles: tuple[str, ...] = ("lead",)
    groups: tuple[str, ...] = ()

    def sign_in(self, auth_time: float | None) -> Approver:
        """Sign in."""
        owner = Owner(HERE if self.at_home else THERE, Subject(self.subject))
        return Approver(owner, self.email, self.tenant, frozenset(self.roles), frozenset(self.groups), auth_time)


ANN = Account("ann", "ann", email="ann@acme.example", groups=("control",))
PEOPLE = (
    ANN,
    ANN._replace(subject="a2", at_home=False),
    Account("bob", "bob", email="bob@acme.example", groups=("control",)),
    Account("bob", "b2", at_home=False, email="bob@acme.example", groups=("control",)),
    Account("cat", "cat", groups=("control",)),
    Account("cat2", "cat", at_home=False, roles=(), groups=("control",)),
    Account("dan", "dan"),
    Account("eve", "eve", email="eve@acme.example", roles=()),
    Account("fox", "fox", tenant="other", groups=("control",)),
    Account("gil", "gil", tenant="other", roles=("lead", "admin"), groups=("control",)),
    Account("hal", "hal", roles=("admin",)),
)
LEADS, CONTROL = Approvers(roles=frozenset({"lead"})), Approvers(groups=frozenset({"control"}))
EVE = Approvers(emails=frozenset({"eve@acme.example"}), groups=frozenset({"control"}))
FLOWS = (
    Flow("two", (FlowStep("lead", LEADS), FlowStep("control", EVE, 2)), 7200.0, remind_every_s=1800.0),
    Flow("low", (FlowStep("lead", LEADS, 2),), 3600.0, approves_on_timeout=True, tells_requester=False),
    Flow("own", (FlowStep("control", CONTROL, 2),), 9000.0, requester_may_approve=True),
)
AGES = st.sampled_from([0.0, 0.0, 0.0, 3599.0, 3601.0, None])
TICKS = st.sampled_from([1.0, 600.0, 900.0, 1800.0, 3600.0])
CALLS = st.integers(0, 1)
FLOW_NAMES = st.sampled_from([each.name for each in FLOWS])


class Accepted(NamedTuple):
    """A vote that was written, and what was so at that moment."""

    account: Account
    approves: bool
    time: float
    age: float | None
    flow: Flow
    status: Progress


class Lives(RuleBasedStateMachine):
    """Requests of two calls under three flows, in a store that holds bytes only."""

    copies: ClassVar[Bundle[ApprovalRequest]] = Bundle("copies")

    def __init__(self) -> None:
        super().__init__()
        self.now, self.numbers = NOW, count()
        self.rows: dict[str, bytes] = {}
        self.opened_under: dict[str, Flow] = {}
        self.accepted: dict[str, list[Accepted]] = {}
        self.granted: dict[str, tuple[float, Flow]] = {}
        self.uses: Counter[str] = Counter()
        self.sent: list[Notice] = []

    @initialize(target=copies)
    def configure(self) -> Any:
        """Begin with one call that waits."""
        self.flows = {each.name: replace(each, digest=Digest("1")) for each in FLOWS}
        return self.ask(0)

    # ---- the store -------------------------------------------------------------------------------------------

    def read(self, id: str) -> ApprovalRequest:
        """Read one row."""
        return msgspec.json.decode(self.rows[id], type=ApprovalRequest)

    def change(self, before: ApprovalRequest, after: ApprovalRequest) -> bool:
        """Write a change if nobody else has changed the request."""
        if after is before or self.read(before.id).version != before.version:
            return False
        flow = self.flows[after.flow]
        if after.status is Progress.APPROVED and before.status is not Progress.APPROVED:
            self.granted[after.id] = (self.now, flow)
        self.put(before, after)
        return True

    def put(self, before: ApprovalRequest | None, after: ApprovalRequest) -> None:
        """Write a row, with the messages that tell of it."""
        messages = tell(before, after, self.flows[after.flow], lambda: f"m{next(self.numbers)}", self.now)
        assert len({each.to for each in messages}) == len(messages)
        assert after.version == (0 if before is None else before.version + 1)
        self.sent.extend(messages)
        self.rows[after.id] = msgspec.json.encode(after)

    def consume(self, found: tuple[ApprovalRequest, ...]) -> bool:
        """Use all grants or none, as they are in the store."""
        kept = [self.read(each.id) for each in found]
        used = [use(each, self.now) for each in kept]
        if any(isinstance(each, Refusal) for each in used):
            return False
        for before, after in zip(kept, used, strict=True):
            assert isinstance(after, ApprovalRequest)
            self.put(before, after)
        return True

    def find(self, call: int) -> tuple[ApprovalRequest, ...]:
        """Find the newest request of each flow, as they are configured now."""
        keys = {self.name_call(call, flow).name() for flow in self.flows.values()}
        newest = {each.key: each for each in map(self.read, self.rows)}
        return tuple(each for key, each in newest.items() if key in keys)

    @staticmethod
    def name_call(call: int, flow: Flow) -> Any:
        """Bind the call to a flow as it is configured."""
        return replace(BINDING, parameters=Digest(f"p{call}"), policy=Digest(f"{flow.name}/{flow.digest}"))

    # ---- what happens ----------------------------------------------------------------------------------------

    @rule(target=copies, call=CALLS)
    def ask(self, call: int) -> Any:
        """Make the call: what has no live request is asked for, unless it was refused."""
        known = {each.key: each for each in self.find(call)}
        for flow in self.flows.values():
            binding = self.name_call(call, flow)
            last = known.get(binding.name())
            if last is not None and (last.status in LIVE or is_refused(last, self.now)):
                continue
            id = f"{next(self.numbers):032x}"
            made = open_request(binding, "p", flow, id=id, requester_email=ANN.email, request_id="r", now=self.now)
            self.opened_under[id], self.accepted[id] = flow, []
            self.put(None, made)
        return multiple(*self.find(call))

    @rule(target=copies, call=CALLS)
    def look(self, call: int) -> Any:
        """Take copies, which may be stale when they are used."""
        return multiple(*self.find(call))

    @rule(copy=copies, account=st.sampled_from(PEOPLE), age=AGES, approves=st.sampled_from([True, True, True, False]))
    def decide(self, copy: ApprovalRequest, account: Account, age: float | None, approves: bool) -> None:
        """Somebody decides on what they see, stale or not."""
        self.cast(copy, account, age, approves)

    @rule(call=CALLS, people=st.permutations(PEOPLE), limit=st.integers(1, len(PEOPLE)))
    def all_approve(self, call: int, people: list[Account], limit: int) -> None:
        """Many people approve what waits now, each freshly signed in."""
        for each in self.find(call):
            for account in people[:limit]:
                self.cast(self.read(each.id), account, 0.0, approves=True)

    def cast(self, copy: ApprovalRequest, account: Account, age: float | None, approves: bool) -> None:
        """Let one person decide; what is accepted is written down."""
        flow, status = self.flows[copy.flow], self.read(copy.id).status
        who = account.sign_in(None if age is None else self.now - age)
        after = vote(copy, flow, who, TERMS, approves=approves, reason="", now=self.now)
        if isinstance(after, Refusal):
            return
        assert is_asked(copy, flow, who, TERMS)
        if self.change(copy, after):
            self.accepted[copy.id].append(Accepted(account, approves, self.now, age, flow, status))

    @rule(copy=copies)
    def sweep(self, copy: ApprovalRequest) -> None:
        """A worker notes what is due, on a copy."""
        self.change(copy, pass_time(copy, self.flows[copy.flow], TERMS, self.now))

    @rule(copy=copies)
    def take_back(self, copy: ApprovalRequest) -> None:
        """The requester withdraws it."""
        after = withdraw(copy, copy.requester, self.now)
        if isinstance(after, ApprovalRequest):
            self.change(copy, after)

    @rule(call=CALLS, racers=st.integers(1, 3))
    def race(self, call: int, racers: int) -> None:
        """The same call comes several times at once: all read, then all use."""
        found = self.find(call)
        if len(found) < len(FLOWS) or not all(is_usable(each, self.now) for each in found):
            return
        winners = sum(self.consume(found) for _ in range(racers))
        self.uses.update({each.id: winners for each in found})

    @rule(copy=copies)
    def use_again(self, copy: ApprovalRequest) -> None:
        """Somebody uses a single grant, from a copy."""
        self.uses[copy.id] += self.consume((copy,))

    @rule(seconds=TICKS)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(name=FLOW_NAMES)
    def configure_otherwise(self, name: str) -> None:
        """Somebody edits a flow."""
        flow = self.flows[name]
        self.flows[name] = replace(flow, digest=Digest(str(int(flow.digest) + 1)))

    @rule()
    def restart(self) -> None:
        """Everything is written and read once more."""
        kept = msgspec.msgpack.encode([self.read(id) for id in self.rows])
        again = msgspec.msgpack.decode(kept, type=list[ApprovalRequest])
        assert [msgspec.json.encode(each) for each in again] == list(self.rows.values())

    # ---- what must be true -----------------------------------------------------------------------------------

    @invariant()
    def no_grant_is_used_twice(self) -> None:
        """One call for each grant; and what is used was approved."""
        used = {each.id for each in map(self.read, self.rows) if each.status is Progress.USED}
        assert {id: times for id, times in self.uses.items() if times} == dict.fromkeys(used, 1)
        assert used <= self.granted.keys()

    @invariant()
    def no_grant_is_used_late(self) -> None:
        """A grant is good for its time only, which begins when it was given."""
        for each in map(self.read, self.rows):
            if each.status is Progress.USED and each.used_at is not None:
                given = min(self.granted[each.id][0], each.ends_at)
                assert each.used_at < given + TERMS.grant_ttl_s

    @invariant()
    def no_grant_exists_without_its_quorums(self) -> None:
        """Either different people approved every step, or the time was over in a flow that approves then."""
        for each in map(self.read, self.rows):
            has_grant = (
                each.status in {Progress.APPROVED, Progress.USED, Progress.LAPSED} or each.grant_until is not None
            )
            assert has_grant == (each.id in self.granted)
            if has_grant:
                flow = self.opened_under[each.id]
                at, configured = self.granted[each.id]
                timed_out = flow.approves_on_timeout and configured == flow and at >= each.created_at + flow.timeout_s
                assert timed_out or is_complete(self.accepted[each.id], flow)

    @invariant()
    def every_vote_was_allowed(self) -> None:
        """Nobody decides what they asked for, twice, late, for another tenant, or with a stale login."""
        for id, votes in self.accepted.items():
            flow, request = self.opened_under[id], self.read(id)
            humans = [each.account.human for each in votes]
            assert len(set(humans)) == len(humans) == len(request.votes)
            assert flow.requester_may_approve or ANN.human not in humans
            for each in votes:
                assert each.age is not None and each.age <= TERMS.fresh_login_s
                assert each.account.tenant == "acme" or "admin" in each.account.roles
                assert each.time < request.created_at + flow.timeout_s
                assert (each.status, each.flow) == (Progress.OPEN, flow)

    @invariant()
    def a_rejection_is_the_last_word(self) -> None:
        """One rejection ends a request, and nothing else rejects it."""
        for id, votes in self.accepted.items():
            rejections = [index for index, each in enumerate(votes) if not each.approves]
            is_rejected = self.read(id).status is Progress.REJECTED
            assert rejections == ([len(votes) - 1] if is_rejected else [])

    @invariant()
    def one_request_is_live_for_each_call_and_flow(self) -> None:
        """Asking again finds the same request."""
        live = Counter(each.key for each in map(self.read, self.rows) if each.status in LIVE)
        assert set(live.values()) <= {1}

    @invariant()
    def requester_is_told_of_each_end_once(self) -> None:
        """Unless the flow does not tell, and unless a grant only lapsed."""
        told = Counter((each.request, each.occasion) for each in self.sent if each.to == ANN.email)
        assert set(told.values()) <= {1}
        ends = {(each.id, Occasion(each.status)) for each in map(self.read, self.rows) if is_told(each)}
        assert ends <= told.keys()


def is_told(request: ApprovalRequest) -> bool:
    """True if the requester must hear of how it stands."""
    return request.flow != "low" and request.status not in {Progress.OPEN, Progress.LAPSED}


def is_complete(votes: list[Accepted], flow: Flow) -> bool:
    """Count by hand: step by step, so many different people whom the step names, and no vote is left over."""
    left, seen = list(votes), set[str]()
    for step in flow.steps:
        for _ in range(step.quorum):
            if not left or not left[0].approves or not names(step.approvers, left[0].account):
                return False
            human = left.pop(0).account.human
            if human in seen:
                return False
            seen.add(human)
    return not left


def names(approvers: Approvers, account: Account) -> bool:
    """True if one of the lists has the account."""
    has_role = any(role in approvers.roles for role in account.roles)
    return has_role or account.email in approvers.emails or any(each in approvers.groups for each in account.groups)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=60, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
