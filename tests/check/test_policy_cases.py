"""Every case file of policies, decided twice: as authors try it, and by the whole servicer from signed bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agen_authz.authoring.draft import Draft, build_draft
from agen_authz.authoring.test import Case, read_cases, try_case
from agen_authz.config import load
from agen_authz.core.errors import Problem
from agen_authz.core.model import Resource
from tests import builders as build
from tests.check.rig import Rig, Seen
from tests.fakes import FakeClock, MemoryKeys

ROOT = Path(__file__).parents[2]
# A directory of cases, and the configuration next to it that decides them.
ROOMS = sorted(
    [*ROOT.glob("tests/cases/policy/*/cases"), *ROOT.glob("docs/examples/policies/*/cases")],
    key=lambda room: room.parts,
)
PEER = "192.0.2.1"


def read_room(room: Path) -> list[Case]:
    found = list(read_cases(room))
    problems = [each for each in found if isinstance(each, Problem)]
    assert not problems, problems
    return [each[1] for each in found if not isinstance(each, Problem)]


def read_draft(room: Path) -> Draft:
    return build_draft(load(room.parent / "agen.yaml", secrets=False, environ={}))


CASES = [pytest.param(room, case, id=f"{room.parent.name}: {case.name}") for room in ROOMS for case in read_room(room)]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.parent.name)
def test_case_is_decided_as_authors_expect(room):
    draft = read_draft(room)
    found = [each for each in read_cases(room) if not isinstance(each, Problem)]
    tried = [try_case(draft, *each, now=build.NOW, digest_key=build.TRACE_KEY) for each in found]
    assert [f"{each.name}: {each.failure}" for each in tried if each.failure] == []


# ---- the same through the servicer ------------------------------------------------------------------------------


def _read_time(case: Case) -> float:
    said = case.request.time
    if said is None:
        return build.NOW
    moment = datetime.fromisoformat(said) if isinstance(said, str) else said
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _write_message(case: Case) -> dict[str, object]:
    called = case.call
    params: dict[str, object] = {"uri": called.uri} if called.uri else {"name": called.tool or called.prompt}
    if called.uri is None:
        params["arguments"] = called.args
    if called.inputs is not None:
        params["inputResponses"] = called.inputs
    method = "resources/read" if called.uri else "tools/call" if called.tool else "prompts/get"
    return build.modern(method, params)


def _write_token(case: Case, resource: Resource, now: float) -> str:
    provider = next(iter(resource.providers.values()))
    granted = {"iss": provider.issuer, "sub": "someone", "aud": resource.url, "scope": " ".join(resource.scopes)}
    return build.sign({**granted, "exp": now + 300, "iat": now, **case.claims})


def _write_headers(case: Case, draft: Draft) -> Iterator[tuple[str, str | None]]:
    # The rig's peer is a trusted proxy of these configurations: it vouches for what it says, or says `unknown`.
    yield "x-forwarded-for", case.request.ip or "unknown"
    if case.request.user_agent is not None:
        yield "user-agent", case.request.user_agent
    country = draft.rules.perimeter.country_header
    if country is not None and case.request.country is not None:
        yield country, case.request.country


def ask_servicer(draft: Draft, case: Case) -> tuple[Rig, Seen]:
    """Have a case decided by a servicer on the draft's own values, from a signed token on."""
    resource, now = draft.rules.resources[case.call.server], _read_time(case)
    provider = next(iter(resource.providers.values()))
    rig = Rig(
        resources=tuple(draft.rules.resources.values()),
        access=draft.rules.access,
        policies=draft.rules.policies,
        perimeter=draft.rules.perimeter,
        clock=FakeClock(now),
        keys=MemoryKeys.holding(**{provider.name: [build.public_key(build.ec_key())]}),
    )
    message, token = _write_message(case), _write_token(case, resource, now)
    headers = {**build.headers_for(token, message), **dict(_write_headers(case, draft))}
    kept = {name: value for name, value in headers.items() if value is not None}
    raw = build.check_request(kept, build.encode(message), path=resource.path)
    return rig, rig.check(raw)


@pytest.fixture(scope="module")
def drafts() -> dict[Path, Draft]:
    return {room: read_draft(room) for room in ROOMS}


@pytest.mark.parametrize(("room", "case"), CASES)
def test_servicer_decides_the_case_alike(room, case, drafts):
    rig, seen = ask_servicer(drafts[room], case)
    event = rig.audit.events[-1]
    said = {"decision": event["decision"], "reason": event["reason"]}
    expected = {name: getattr(case.expect, name) or said[name] for name in said}
    assert (said, seen.is_allowed) == (expected, case.expect.decision == "allow")
    applied = [each["name"] for each in event.get("policies", ())]
    assert case.expect.policy is None or case.expect.policy in applied


def test_every_configuration_of_cases_has_the_rigs_proxy():
    assert [room.parent.name for room in ROOMS if PEER not in (room.parent / "agen.yaml").read_text("utf-8")] == []


def test_there_are_cases_for_everybody_for_tenants_and_for_each_example():
    names = [room.parent.name for room in ROOMS]
    assert {"everybody", "tenants"} < set(names) and len(names) == 12
