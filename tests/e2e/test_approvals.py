"""Approvals through a real Envoy with the official client: exactly this call, once, however the client is told."""

import asyncio
import time

import pytest
from mcp import MCPError
from mcp.client import InputRequiredRoundsExceededError

from tests.e2e.approved import CUSTOMER, MODES, PAGE, SECTIONS, People, ask, connect, encrypt, reload
from tests.stage.process import await_true, end
from tests.stage.world import running_world

pytestmark = pytest.mark.envoy

OTHER = {"customer_id": "c-1002"}
# Long enough for a decision to come in time where much else runs.
HOLD_S = 6.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("approvals")


@pytest.fixture(scope="module")
def world(folder):
    with running_world(folder, more=SECTIONS, changed=lambda text: encrypt(folder, text)) as running:
        yield running


@pytest.fixture(scope="module")
def people(world, folder):
    return People(folder)


def forget(world):
    """Forget what the backend received, and return how many events there are."""
    world.received()
    return len(world.events())


def reached(world):
    """List the tools whose calls reached the backend."""
    names = [dict(each["headers"]).get("mcp-name") for each in world.received()]
    return [name for name in names if name is not None]


async def test_modern_client_opens_the_page_and_makes_the_call_again_by_itself(world, people):
    opened, since = [], forget(world)

    async def approve(page):
        opened.append(page)
        await people.decide(page)

    async with connect(world, "2026-07-28", opens=approve, sub="modern") as client:
        result = await client.call_tool("get_customer", CUSTOMER)
    assert (result.is_error, len(opened), reached(world)) == (False, 1, ["get_customer"])
    asked, allowed = [each for each in world.events()[since:] if each.get("approvals")]
    assert (asked["decision"], allowed["decision"]) == ("await_approval", "allow")
    assert asked["approvals"] == allowed["approvals"]
    # The second time it is another request.
    async with connect(world, "2026-07-28", opens=approve, sub="modern") as client:
        await client.call_tool("get_customer", CUSTOMER)
    assert len(set(opened)) == 2


async def test_modern_client_that_opens_the_page_alone_has_approved_nothing(world):
    opened = []

    async def look(page):
        opened.append(page)

    forget(world)
    async with connect(world, "2026-07-28", opens=look, sub="impatient") as client:
        with pytest.raises(InputRequiredRoundsExceededError):
            await client.call_tool("get_customer", CUSTOMER)
    assert (len(opened), len(set(opened)), reached(world)) == (2, 1, [])


async def test_legacy_client_that_opens_pages_is_told_by_the_error_for_it(world, people):
    async def never(page):
        raise AssertionError(page)

    async with connect(world, "legacy", opens=never, sub="legacy") as client:
        with pytest.raises(MCPError) as told:
            await client.call_tool("get_customer", CUSTOMER)
        (asked,) = told.value.data["elicitations"]
        assert (told.value.code, asked["mode"], asked["url"]) == (-32042, "url", PAGE + asked["elicitationId"])
        await people.decide(asked["url"])
        assert not (await client.call_tool("get_customer", CUSTOMER)).is_error
        with pytest.raises(MCPError) as again:
            await client.call_tool("get_customer", CUSTOMER)
    assert again.value.data["elicitations"][0]["url"] != asked["url"]


@pytest.mark.parametrize("mode", MODES)
async def test_other_client_gets_a_result_that_names_the_page(world, people, mode):
    sub = f"text-{mode}"
    forget(world)
    page = await ask(world, mode, sub=sub)
    assert page.startswith(PAGE) and await ask(world, mode, sub=sub) == page
    assert [name for name in reached(world) if name == "get_customer"] == []
    await people.decide(page)
    assert await ask(world, mode, sub=sub) == "allowed"
    again = await ask(world, mode, sub=sub)
    assert again.startswith(PAGE) and again != page


READS = {"resource": "customer://c-1001", "prompt": "summarize"}


async def read(client, kind):
    if kind == "resource":
        return await client.read_resource(READS[kind])
    return await client.get_prompt(READS[kind], CUSTOMER)


@pytest.mark.parametrize("kind", READS)
async def test_resource_and_prompt_are_read_once_by_a_client_that_opens_the_page(world, people, kind):
    opened = []

    async def approve(page):
        opened.append(page)
        await people.decide(page)

    forget(world)
    async with connect(world, "2026-07-28", opens=approve, sub=f"opens-{kind}") as client:
        await read(client, kind)
        assert (len(opened), reached(world)) == (1, [READS[kind]])
        await read(client, kind)
    assert len(set(opened)) == 2


@pytest.mark.parametrize("kind", READS)
async def test_legacy_client_that_opens_pages_is_told_the_same_way_of_a_resource_and_a_prompt(world, people, kind):
    async def never(page):
        raise AssertionError(page)

    async with connect(world, "legacy", opens=never, sub="legacy-reader") as client:
        with pytest.raises(MCPError) as told:
            await read(client, kind)
        (asked,) = told.value.data["elicitations"]
        assert (told.value.code, asked["url"]) == (-32042, PAGE + asked["elicitationId"])
        await people.decide(asked["url"])
        await read(client, kind)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", READS)
async def test_resource_and_prompt_are_refused_to_other_clients_with_the_page(world, people, kind, mode):
    async with connect(world, mode, sub=f"reads-{mode}") as client:
        pages = []
        for _ in range(2):
            with pytest.raises(MCPError) as told:
                await read(client, kind)
            assert told.value.data["reason"] == "approval_required"
            pages += told.value.data["urls"]
            assert pages[-1].startswith(PAGE) and told.value.message.endswith(pages[-1])
        await people.decide(pages[0])
        await read(client, kind)
        with pytest.raises(MCPError) as again:
            await read(client, kind)
    assert pages[0] == pages[1] != again.value.data["urls"][0]


async def test_changed_arguments_another_subject_and_another_client_are_other_calls(world, people):
    page = await ask(world, "2026-07-28", sub="exact")
    await people.decide(page)
    others = [
        await ask(world, "2026-07-28", arguments=OTHER, sub="exact"),
        await ask(world, "2026-07-28", sub="another"),
        await ask(world, "2026-07-28", sub="exact", client_id="another"),
    ]
    assert all(each.startswith(PAGE) for each in others) and len({page, *others}) == 4
    assert await ask(world, "2026-07-28", sub="exact") == "allowed"


@pytest.mark.parametrize("mode", MODES)
async def test_rejected_call_is_denied(world, people, mode):
    page = await ask(world, mode, sub=f"rejected-{mode}")
    await people.decide(page, approves=False)
    assert await ask(world, mode, sub=f"rejected-{mode}") == "approval_rejected"
    assert (await ask(world, mode, arguments=OTHER, sub=f"rejected-{mode}")).startswith(PAGE)


async def test_request_that_times_out_is_noted_and_asked_for_again(world, people, folder):
    deal = {"deal_id": "d-2001"}
    page = await ask(world, "2026-07-28", "get_deal", deal, sub="late")

    def list_ended():
        events = [each.get("approval", {}) for each in world.events()]
        return any((each.get("event"), PAGE + each.get("id", "")) == ("timed_out", page) for each in events)

    await asyncio.to_thread(await_true, world.sidecar, "the time-out", list_ended, folder / "sidecar.log")
    again = await ask(world, "2026-07-28", "get_deal", deal, sub="late")
    assert again.startswith(PAGE) and again != page


async def test_policy_that_was_changed_in_between_asks_again(world, people, folder):
    page = await ask(world, "2026-07-28", sub="policy")
    await people.decide(page)
    before = (folder / "agen.yaml").read_text("utf-8")
    try:
        reload(world, folder, before.replace("flow: finance}", "flow: finance, message: Changed.}", 1))
        again = await ask(world, "2026-07-28", sub="policy")
        assert again.startswith(PAGE) and again != page
        await people.decide(again)
        assert await ask(world, "2026-07-28", sub="policy") == "allowed"
    finally:
        reload(world, folder, before)
    # The policy is again as it was when this was approved.
    assert await ask(world, "2026-07-28", sub="policy") == "allowed"


async def test_approval_outlives_the_processes(world, people):
    pages = [await ask(world, "2026-07-28", arguments=each, sub="restart") for each in (CUSTOMER, OTHER)]
    await people.decide(pages[0])
    end(world.sidecar)
    world.sidecar = world.start()
    assert await ask(world, "2026-07-28", sub="restart") == "allowed"
    assert await ask(world, "2026-07-28", arguments=OTHER, sub="restart") == pages[1]


async def test_calls_that_race_for_one_grant_are_made_once(world, people):
    page = await ask(world, "2026-07-28", sub="racer")
    await people.decide(page)
    since = forget(world)
    told = await asyncio.gather(*(ask(world, "2026-07-28", sub="racer") for _ in range(8)))
    assert told.count("allowed") == 1 == reached(world).count("get_customer")
    used = [each for each in world.events()[since:] if each["decision"] == "allow" and each.get("approvals")]
    assert [each["approvals"][0]["id"] for each in used] == [page.removeprefix(PAGE)]


# ---- calls that are held ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def held_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("held")


@pytest.fixture(scope="module")
def holding(held_folder):
    sections = SECTIONS.replace("approvals:\n", f"approvals:\n  hold: {HOLD_S:g}s\n", 1)

    def change(text):
        return encrypt(held_folder, text.replace("shutdown_grace: 2s", "shutdown_grace: 2s, check_timeout: 30s"))

    with running_world(held_folder, more=sections, changed=change) as running:
        yield running


@pytest.mark.parametrize(("approves", "told"), [(True, "allowed"), (False, "approval_rejected")])
async def test_held_call_is_answered_as_soon_as_it_is_decided(holding, held_folder, approves, told):
    people, sub = People(held_folder), f"held-{approves}"
    called = asyncio.create_task(ask(holding, "2026-07-28", sub=sub))
    while not (asked := [each for each in await people.list() if each.binding.subject == sub]):
        assert not called.done(), called.result()
        await asyncio.sleep(0)
    await people.decide(PAGE + asked[0].id, approves=approves)
    assert await called == told


async def test_held_call_that_nobody_decides_is_answered_in_time(holding):
    began = time.monotonic()
    assert (await ask(holding, "2026-07-28", sub="alone")).startswith(PAGE)
    # The page is told before `check_timeout`, or Envoy would have answered itself.
    assert time.monotonic() - began >= HOLD_S
