"""Approvals of two replicas on one PostgreSQL: asked at one, decided at the other, made once through either."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.approved import ask
from tests.e2e.deciding import DEAL, run_as, visiting
from tests.e2e.replicas import Replicas, running_replicas
from tests.services import running_postgresql

pytestmark = [pytest.mark.envoy, pytest.mark.services]

RACERS = 20


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with running_postgresql() as url, running_replicas(tmp_path_factory.mktemp("replicas"), url) as running:
        yield running


def call(replicas: Replicas, at: int, sub: str) -> Any:
    """Call through the Envoy of one of both."""
    more = {"sub": sub, "tenantId": "acme", "moved": replicas.envoys[at]}
    return ask(replicas.decided.world, "2026-07-28", "get_deal", DEAL, **more)


Places = Mapping[int, int]


async def decide(page: str, answer: str, signed_in_at: Places, decided_at: Places) -> None:
    moved = dict(signed_in_at)
    async with visiting("finance", page, moved) as visitor:
        moved.clear()
        moved.update(decided_at)
        await visitor.decide(answer)
    assert visitor.page.status_code == 200


@pytest.mark.parametrize("asked", [0, 1])
@pytest.mark.parametrize("made", [0, 1])
async def test_call_asked_for_at_one_is_approved_at_the_other_and_made_once_through_either(replicas, asked, made):
    sub, other = f"ann-{asked}-{made}", 1 - asked
    page = await call(replicas, asked, sub)
    assert await call(replicas, other, sub) == page
    await decide(page, "approve", *[replicas.consoles[other]] * 2)
    assert await call(replicas, made, sub) == "allowed"
    again = [await call(replicas, at, sub) for at in (1 - made, made)]
    assert again[0] == again[1] != page and again[0].startswith(replicas.decided.console)


async def test_person_who_signed_in_at_one_decides_at_the_other(replicas):
    page = await call(replicas, 0, "bob")
    await decide(page, "reject", *replicas.consoles)
    assert [await call(replicas, at, "bob") for at in (0, 1)] == ["approval_rejected"] * 2


async def test_terminal_that_is_signed_in_at_one_approves_what_was_asked_at_the_other(replicas, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("BROWSER", "true")
    page = await call(replicas, 1, "cy")
    code, out, _ = await run_as("finance", replicas.decided.console, "approve", page, "--yes")
    assert (code, out) == (0, "approved; the request is approved\n")
    assert [await call(replicas, 1, "cy"), (await call(replicas, 0, "cy")) == page] == ["allowed", False]


async def test_of_calls_that_race_through_both_for_one_grant_one_is_allowed(replicas):
    world, here = replicas.decided.world, replicas.consoles[0]
    page = await call(replicas, 0, "racer")
    await decide(page, "approve", here, here)
    world.received()
    told = Counter(await asyncio.gather(*(call(replicas, at % 2, "racer") for at in range(RACERS))))
    names = [dict(each["headers"]).get("mcp-name") for each in world.received()]
    assert (told.pop("allowed"), names.count("get_deal")) == (1, 1)
    # The others were too late for the grant, or ask again, all for the same.
    told.pop("approval_spent", 0)
    assert len(told) <= 1 and page not in told
    used = [each for each in replicas.events() if each["decision"] == "allow" and each.get("approvals")]
    assert [each["approvals"][0]["id"] for each in used].count(page.rpartition("/")[2]) == 1


async def test_calls_that_are_made_through_both_at_once_open_one_request(replicas):
    told = await asyncio.gather(*(call(replicas, at % 2, "eager") for at in range(RACERS)))
    assert len(set(told)) == 1 and told[0].startswith(replicas.decided.console)
