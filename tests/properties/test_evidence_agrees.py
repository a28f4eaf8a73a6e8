"""The event of a request says `allow` if and only if its answer does, whatever fails on its way."""

from collections import Counter
from typing import Any

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.builders import sign
from tests.check.rig import Rig
from tests.check.test_signed import signed_rig

PORTS = ("clock", "entropy", "keys", "audit", "metrics")
FAULTS = (RuntimeError("bug"), TimeoutError(), Unavailable(Reason.STORE_UNAVAILABLE, "x"), MemoryError())
SESSION = {"mcp-session-id": build.session()}
HEADERS = build.headers_for(sign(build.claims()))
REQUESTS = {
    "allowed": build.check_request({**HEADERS, **SESSION}, build.encode(build.message())),
    "end": build.check_request({**build.headers_for(sign(build.claims()), None), **SESSION}, b"", method="DELETE"),
    "refused": build.check_request(HEADERS, build.encode(build.message(params={"name": "delete_customer"}))),
    "stranger": build.check_request(build.headers_for(None), build.encode(build.message())),
    "metadata": build.check_request({}, method="GET", path="/.well-known/oauth-protected-resource/crm/mcp"),
    "unreadable": b"\xff",
}  # fmt: skip


class Faulty:
    """Stands in front of a port, counts the calls of its methods, and fails at one of them.

    Args:
        at: which call of which method fails, before the port has done anything.
    """

    def __init__(self, inner: Any, at: tuple[str, int] | None = None, fault: BaseException | None = None) -> None:
        self._inner, self._at, self._fault = inner, at, fault
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            if (name, self.calls[name]) == self._at:
                assert self._fault is not None
                raise self._fault
            return found(*args, **kwargs)

        return call


def make(port: str = "", at: tuple[str, int] | None = None, fault: BaseException | None = None) -> Rig:
    plain = signed_rig()
    around: Any = {name: Faulty(getattr(plain, name), at if name == port else None, fault) for name in PORTS}
    return Rig(resources=plain.resources, signers=plain.signers, **around)


def list_points(raw: bytes) -> list[tuple[str, tuple[str, int]]]:
    """List every use that a request makes of a port."""
    rig = make()
    rig.check(raw)
    return [
        (port, (method, count + 1))
        for port in PORTS
        for method, times in getattr(rig, port).calls.items()
        for count in range(times)
    ]


def decisions_of(rig: Rig) -> list[str]:
    return [event["decision"] for event in rig.audit._inner.events]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("name", REQUESTS)
def test_event_says_allow_if_and_only_if_the_answer_does_whichever_use_of_a_port_fails(name, fault):
    raw = REQUESTS[name]
    points = list_points(raw)
    assert {port for port, _ in points} >= {"clock", "entropy", "audit", "metrics"}
    for port, at in points:
        rig = make(port, at, fault)
        seen = rig.check(raw)
        assert ("allow" in decisions_of(rig)) == seen.is_allowed, (port, at)
        assert len(decisions_of(rig)) <= 1, (port, at)
        # No request that is allowed goes past a use that failed.
        assert not seen.is_allowed, (port, at)


def test_every_port_is_used_by_a_call_that_is_allowed():
    assert {port for port, _ in list_points(REQUESTS["allowed"])} == set(PORTS)


def test_request_whose_count_fails_has_one_event_of_all_that_is_known():
    rig = make("metrics", ("count_decision", 1), RuntimeError("metrics"))
    assert rig.check(REQUESTS["allowed"]).told == "internal_error"
    (event,) = rig.audit._inner.events
    assert (event["decision"], event["reason"], event["server"]) == ("deny", "internal_error", "crm")
    assert (event["principal"]["subject"], event["call"]["method"], event["context"]["path"]) == (
        "ann", "tools/call", "/crm/mcp",
    )  # fmt: skip
    assert [step["check"] for step in event["why"]] == ["method", "access", "check"]
    assert event["why"][-1] == {"check": "check", "outcome": "failed", "rule": ""}


class Broken:
    """Fails whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def broken_resource(**changes: Any) -> dict[str, Any]:
    return {"resources": (build.resource(is_signed=True, **changes),)}


STEPS: dict[str, dict[str, Any]] = {
    "admit": broken_resource(origins=None),
    "identify": {"tokens": Broken()},
    "admit_principal": broken_resource(audiences=None),
    "parse": {"limits": Broken()},
    "gather": {"perimeter": Broken()},
    "access": {"access": Broken()},
    "policies": {"policies": Broken()},
    "sign": {"signers": {}},
    "render": broken_resource(forward_headers=None),
}


@pytest.mark.parametrize("step", STEPS)
def test_step_that_fails_is_a_denial_and_no_event_says_otherwise(step):
    plain = signed_rig()
    rig = Rig(**{"resources": plain.resources, "signers": plain.signers, **STEPS[step]})
    raw = build.check_request({**HEADERS, **SESSION, "origin": build.ORIGIN}, build.encode(build.message()))
    assert signed_rig().check(raw).is_allowed
    seen = rig.check(raw)
    # Without `perimeter` an event cannot be written either.
    wanted = [] if step == "gather" else ["deny"]
    assert (seen.is_allowed, [event["decision"] for event in rig.audit.events]) == (False, wanted)
