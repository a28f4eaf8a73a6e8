"""Calls through a real Envoy that people decide at the sidecar's own console, from a terminal and with a browser."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from agen_authz.core.approval.table import REFUSALS, Refusal
from tests.e2e.approved import ask, reload
from tests.e2e.deciding import DEAL, Decided, run_as, run_signed_in, running_decided, visiting
from tests.stage.process import BOUND_S

pytestmark = pytest.mark.envoy


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decided]:
    with running_decided(tmp_path_factory.mktemp("decided")) as running:
        yield running


@pytest.fixture(autouse=True)
def terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    # A browser that opens nothing: the test follows the link that is printed.
    monkeypatch.setenv("BROWSER", "true")


def call(decided: Decided, sub: str, **claims: str):
    """Call as somebody of the demo's tenant."""
    return ask(decided.world, "2026-07-28", "get_deal", DEAL, sub=sub, tenantId="acme", **claims)


async def test_terminal_shows_what_a_call_opened_and_approves_it_for_one_use(decided):
    page = await call(decided, "ann")
    name = page.rpartition("/")[2]
    code, out, _ = await run_as("finance", decided.console, "list")
    assert (code, [line.split()[:2] for line in out.splitlines() if name in line]) == (0, [[name, "open"]])
    # It is signed in by now.
    code, out, err = run_signed_in(decided.console, "show", page)
    assert (code, "crm/get_deal  open" in out, '"deal_id": "d-2001"' in out, err) == (0, True, True, "")
    code, out, err = run_signed_in(decided.console, "approve", name, "--reason", "seen", typed="y\n")
    assert (code, "Approve this call as" in err, out.endswith("approved; the request is approved\n")) == (0, True, True)
    assert ("approved", "u-1003", name) in decided.list_votes()
    assert await call(decided, "ann") == "allowed"
    again = await call(decided, "ann")
    assert again.startswith(decided.console) and again != page


async def test_terminal_rejects_a_call_which_is_then_denied(decided):
    page = await call(decided, "bea")
    code, out, _ = await run_as("finance", decided.console, "reject", page, "--yes", "--json")
    assert (code, json.loads(out)["status"]) == (0, "rejected")
    assert ("rejected", "u-1003", page.rpartition("/")[2]) in decided.list_votes()
    assert await call(decided, "bea") == "approval_rejected"


async def test_request_does_not_exist_for_a_terminal_of_somebody_who_is_no_approver(decided):
    page = await call(decided, "cleo")
    code, out, err = await run_as("support", decided.console, "show", page)
    assert (code, out, "not_found" in err) == (1, "", True)
    code, out, _ = run_signed_in(decided.console, "list", "--status", "all")
    assert (code, out) == (0, "there are no such requests\n")


async def test_requester_cannot_approve_their_own_call_from_a_terminal(decided):
    # Fumiko, who decides for others, calls herself.
    page = await call(decided, "u-1003")
    code, _, err = await run_as("finance", decided.console, "approve", page, "--yes")
    assert (code, "requester" in err) == (1, True)
    assert await call(decided, "u-1003") == page


async def test_call_of_another_tenant_does_not_exist_for_an_approver_of_this_one(decided):
    page = await ask(decided.world, "2026-07-28", "get_deal", DEAL, sub="dora", tenantId="globex")
    async with visiting("finance", page) as visitor:
        assert (visitor.page.status_code, "get_deal" in visitor.page.text) == (404, False)


async def test_two_people_approve_in_two_steps_and_one_of_them_alone_has_approved_nothing(decided):
    page = await ask(decided.world, "2026-07-28", sub="eda", tenantId="acme")
    for role, told in (("finance", page), ("admin", "allowed")):
        async with visiting(role, page) as visitor:
            await visitor.decide("approve")
        assert await ask(decided.world, "2026-07-28", sub="eda", tenantId="acme") == told
    assert [who for _, who, name in decided.list_votes() if page.endswith(name)] == ["u-1003", "u-1004"]


async def test_console_goes_by_the_configuration_that_was_reloaded(decided):
    page, file = await call(decided, "fay"), decided.folder / "agen.yaml"
    before = file.read_text("utf-8")
    async with visiting("finance", page) as visitor:
        assert "Your approval is the last one that is needed" in visitor.page.text
        for text, told in (
            (before.replace("roles: [finance]}}]", "roles: [finance, admin]}}]"), REFUSALS[Refusal.FLOW_CHANGED]),
            (before, "Your approval is the last one that is needed"),
        ):
            reload(decided.world, decided.folder, text)
            async with asyncio.timeout(BOUND_S):
                # The worker of the console reloads by itself.
                while told not in visitor.page.text:
                    visitor.page = await visitor.web.get(page)
