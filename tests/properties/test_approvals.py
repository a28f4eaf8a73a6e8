"""An allowed call has used its grants, whatever fails, wherever it fails, and in whatever order things happen."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.approval.request import Progress
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Digest
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import ApprovalStore
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.check.approval_rig import Desk, asks, rules, with_params
from tests.fakes import CountingMetrics, FakeClock, ListSink, MemoryKeys, SeqEntropy

TWO_FLOWS = (asks("a"), asks("b", flow="legal", digest=Digest("r")))
FAULTS: dict[str, BaseException] = {
    "unavailable": Unavailable(Reason.STORE_UNAVAILABLE, "store"),
    "late": TimeoutError(),
    "defect": ValueError("a defect"),
    "withdrawn": asyncio.CancelledError(),
}


class Faults:
    """Counts what is asked of all ports, and lets one of the questions fail: before it is answered, or after."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at: int | None = None
        self.fault: BaseException = ValueError("a defect")
        self.is_late = False

    def wrap(self, port: Any) -> Any:
        """Put the fault between a port and who uses it."""
        return _Between(port, self)

    @contextmanager
    def strike(self, name: str) -> Iterator[None]:
        """Note a question, and let it fail if it is its turn."""
        self.asked.append(name)
        fails = self.at == len(self.asked) - 1
        if fails and not self.is_late:
            raise self.fault
        yield
        if fails:
            raise self.fault


class _Between:
    def __init__(self, port: Any, faults: Faults) -> None:
        self._port, self._faults = port, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        ask = _ask_later if asyncio.iscoroutinefunction(found) else _ask
        return partial(ask, self._faults, name, found)


def _ask(faults: Faults, name: str, found: Any, *args: Any, **named: Any) -> Any:
    with faults.strike(name):
        return found(*args, **named)


async def _ask_later(faults: Faults, name: str, found: Any, *args: Any, **named: Any) -> Any:
    with faults.strike(name):
        return await found(*args, **named)


class Faulty:
    """A sidecar whose ports may all fail, with a store that is looked at without them."""

    def __init__(self, policies: Any = TWO_FLOWS, hold_s: float = 0.0) -> None:
        self.faults, self.store, self.sink = Faults(), MemoryApprovals(), ListSink()
        self.clock, wrap = FakeClock(build.NOW), self.faults.wrap

        async def sleep(seconds: float) -> None:
            self.clock.advance(seconds)

        self.desk = Desk(
            policies=policies,
            approvals=self.store,
            approval_rules=rules(hold_s=hold_s),
            more={"clock": self.clock, "sleep": sleep, "audit": self.sink},
        )
        ports = self.desk.rig.ports
        object.__setattr__(ports, "approvals", wrap(self.store))
        for name, port in (("clock", self.clock), ("entropy", SeqEntropy()), ("metrics", CountingMetrics())):
            object.__setattr__(ports, name, wrap(port))
        object.__setattr__(ports, "audit", wrap(self.sink))
        object.__setattr__(ports, "keys", wrap(_keys()))

    def call(self, number: int = 1) -> bool:
        """Make a call; True if it is allowed."""
        try:
            return self.desk.call(with_params(arguments={"id": number})).is_allowed
        except (asyncio.CancelledError, Unavailable, ValueError, TimeoutError):
            # Envoy has no answer, and denies.
            return False

    def check(self, answered: int) -> None:
        """Check that each event of an allowed call names grants that were used for it alone."""
        allowed = [each for each in map(json.loads, self.sink.lines) if each["decision"] == "allow"]
        grants = [grant["id"] for event in allowed for grant in event["approvals"]]
        assert all(self.store.requests[each].status is Progress.USED for each in grants)
        assert max(Counter(grants).values(), default=1) == 1
        assert all(len(event["approvals"]) == len(self.desk.policies) for event in allowed)
        assert answered <= len(allowed)


def _keys() -> MemoryKeys:
    return MemoryKeys.holding(idp=[build.public_key(build.ec_key())])


def approved() -> Faulty:
    world = Faulty()
    world.call()
    world.desk.decide(at=0)
    world.desk.decide(at=1)
    world.faults.asked.clear()
    return world


def list_points() -> list[tuple[int, str]]:
    """List all that an approved call asks of the ports."""
    world = approved()
    assert world.call()
    return list(enumerate(world.faults.asked))


POINTS = list_points()


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [at for at, _ in POINTS], ids=[f"{at}-{name}" for at, name in POINTS])
def test_fault_at_every_point_of_an_approved_call_denies(at, fault, is_late):
    world = approved()
    world.faults.at, world.faults.fault, world.faults.is_late = at, FAULTS[fault], is_late
    assert world.call() is False
    world.check(0)
    # What was not used is still good, and what was used is not good again.
    world.faults.at = None
    before = set(world.desk.statuses)
    answered = world.call()
    assert answered is (before == {"approved"})
    world.check(answered)


def test_points_are_all_that_an_approved_call_does():
    names = {name for _, name in POINTS}
    assert {"find", "consume", "emit", "count_decision", "count_approval", "time_approval", "find_key"} <= names
    assert set(dir(ApprovalStore)) & names == {"find", "consume"}


ACTS = st.one_of(
    st.tuples(st.just("call"), st.integers(1, 2)),
    st.tuples(st.just("approve"), st.integers(0, 5)),
    st.tuples(st.just("reject"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 899.0, 900.0, 14400.0])),
    st.tuples(
        st.just("fault"),
        st.tuples(st.integers(0, 40), st.sampled_from(sorted(FAULTS)), st.booleans(), st.integers(1, 2)),
    ),
)


@given(st.lists(ACTS, max_size=25), st.sampled_from([TWO_FLOWS, (asks(),)]), st.sampled_from([0.0, 0.6]))
def test_event_of_an_allowed_call_exists_only_if_its_grants_were_used(acts, policies, hold_s):
    world, answered = Faulty(policies, hold_s), 0
    for act, value in acts:
        open_now = [at for at, each in enumerate(world.desk.requests) if each.status is Progress.OPEN]
        if act == "call":
            answered += world.call(value)
        elif act == "wait":
            world.desk.wait(value)
        elif act == "fault":
            at, fault, is_late, number = value
            faults = world.faults
            faults.asked.clear()
            faults.at, faults.fault, faults.is_late = at, FAULTS[fault], is_late
            answered += world.call(number)
            faults.at = None
        elif value < len(open_now):
            world.desk.decide(approves=act == "approve", at=open_now[value])
        world.check(answered)
