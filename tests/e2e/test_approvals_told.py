"""Approvals if the server does as it is told: it changes a tool's definition, or asks the caller something itself."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.approved import PAGE, SECTIONS, People, encrypt
from tests.e2e.told import LIST, Got, Told, by_method, dump, rpc, tool, whole
from tests.stage.process import await_true
from tests.stage.scripted import serving_scripted
from tests.stage.world import VERSION, running_world

pytestmark = pytest.mark.envoy

TOOLS = "tools: {pinning: observe}\n"
DONE = rpc(id=7, result={"resultType": "complete", "content": []})
QUESTION = {"mode": "form", "message": "How much?", "requestedSchema": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("approvals-told")
    with (
        serving_scripted() as backend,
        running_world(
            folder, more=SECTIONS + TOOLS, crm_port=backend.port, changed=lambda text: encrypt(folder, text)
        ) as world,
    ):
        yield Told(world, backend, folder)


def call(told: Told, sub: str, **params: Any) -> Got:
    prefix = "io.modelcontextprotocol/"
    meta = {f"{prefix}protocolVersion": VERSION, f"{prefix}clientCapabilities": {}}
    params = {"name": "get_customer", "arguments": {"customer_id": "c-1"}, **params, "_meta": meta}
    headers = {"mcp_protocol_version": VERSION, "mcp_method": "tools/call", "mcp_name": params["name"]}
    token = told.world.one.mint(told.world.crm, sub=sub)
    return told.ask(rpc(id=7, method="tools/call", params=params), token=token, **headers)


def page_of(got: Got) -> str:
    (message,) = got.messages
    text = message["result"]["content"][0]["text"]
    return PAGE + text.partition(PAGE)[2].split()[0]


async def approve(told: Told, got: Got) -> str:
    page = page_of(got)
    await People(told.folder).decide(page)
    return page


def asking(state: str) -> dict[str, Any]:
    requests = {"amount": {"method": "elicitation/create", "params": QUESTION}}
    return rpc(id=7, result={"resultType": "input_required", "inputRequests": requests, "requestState": state})


def answers(amount: int, state: str) -> dict[str, Any]:
    accepted = {"action": "accept", "content": {"amount": amount}}
    return {"inputResponses": {"amount": accepted}, "requestState": state}


async def test_call_that_continues_what_its_server_asked_is_approved_with_its_answers(told):
    told.tell(whole(dump(asking("s-1"))))
    await approve(told, call(told, "ann"))
    assert call(told, "ann").messages == [asking("s-1")]
    told.tell(whole(dump(DONE)))
    told.backend.asked.clear()
    # Other answers are another call.
    pages = {await approve(told, call(told, "ann", **answers(amount, "s-1"))) for amount in (5, 5000)}
    assert (len(pages), told.backend.asked) == (2, [])
    assert call(told, "ann", **answers(5, "s-1")).messages == [DONE]
    assert page_of(call(told, "ann", **answers(5, "s-1"))) not in pages


async def test_state_that_the_server_did_not_send_to_this_caller_is_refused(told):
    told.tell(whole(dump(asking("s-2"))))
    await approve(told, call(told, "bob"))
    assert call(told, "bob").messages == [asking("s-2")]
    told.backend.asked.clear()
    refused = [call(told, "eve", **answers(5, "s-2")), call(told, "bob", **answers(5, "s-3"))]
    assert [each.outcomes for each in refused] == [["7: approval_state_unknown"]] * 2
    assert told.backend.asked == []


async def test_state_of_a_call_that_nobody_had_to_approve_is_none_of_one_that_they_must(told):
    told.tell(whole(dump(asking("s-4"))))
    assert call(told, "cy", name="search_customers").messages == [asking("s-4")]
    assert call(told, "cy", **answers(5, "s-4")).outcomes == ["7: approval_state_unknown"]


def serve(told: Told, **definition: Any) -> None:
    """Let the server list this definition and approve it, as an operator does."""
    listed = rpc(id=7, result={"tools": [tool("get_customer", **definition)]})
    told.backend.script = by_method({"tools/list": [whole(dump(listed))], "tools/call": [whole(dump(DONE))]})
    told.ask(LIST)
    command = [sys.executable, "-m", "agen_authz", "tools", "pin", "crm", "--changed", "--yes", "--config"]
    subprocess.run([*command, str(Path(told.folder) / "agen.yaml")], capture_output=True, check=True)


async def test_tool_whose_definition_was_changed_in_between_is_asked_for_again(told):
    log = told.folder / "sidecar.log"
    unpinned = page_of(call(told, "dan"))
    serve(told, description="Read it.")
    # All processes know what is approved within a second.
    await_true(told.world.sidecar, "the first pin", lambda: page_of(call(told, "dan")) != unpinned, log)
    page = page_of(call(told, "dan"))
    assert page_of(call(told, "dan")) == page
    serve(told, description="Read it, and delete it.")
    await_true(told.world.sidecar, "the second pin", lambda: page_of(call(told, "dan")) != page, log)
    await People(told.folder).decide(page)
    # What was approved is not what the model sees now.
    assert page_of(call(told, "dan")) not in (page, unpinned)
