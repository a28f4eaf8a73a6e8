"""Servers and clients of npm and PyPI that we did not write: through us everything is as it is directly."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from tests.peers.conformance import defects, running_both, running_server
from tests.peers.steps import Plan, Told, running_npm_everything, take_with_node, take_with_python

pytestmark = [
    pytest.mark.services,
    pytest.mark.slow,
    # Sampling, elicitation and subscriptions of the legacy era are what is tried here.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

_UPDATED = "notifications/resources/updated"
_TEXT = "demo://resource/dynamic/text/1"
_LONG = "trigger-long-running-operation"
_NPM: Plan = (
    ["list"],
    ["call", "echo", {"message": "hello"}],
    ["call", "get-structured-content", {"location": "Chicago"}],
    ["call", "get-resource-links", {"count": 2}],
    ["call", "get-tiny-image", {}],
    ["call", _LONG, {"duration": 0.3, "steps": 3}],
    ["call", "trigger-sampling-request", {"prompt": "a question", "maxTokens": 5}],
    ["call", "trigger-elicitation-request", {}],
    ["call", "get-roots-list", {}],
    ["subscribe", _TEXT],
    ["call", "toggle-subscriber-updates", {}],
    ["await", _UPDATED],
)
_RESUMED: Plan = (["resume", _LONG, {"duration": 0.4, "steps": 4}, 1000],)
_PYPI: Plan = (
    ["list"],
    ["call", "test_tool_with_progress", {}],
    ["call", "test_multiple_content_types", {}],
    ["read", "test://static-text"],
)
_ON_STREAMS: Plan = (
    ["call", "test_sampling", {"prompt": "a question"}],
    ["call", "test_elicitation", {"message": "who?"}],
    ["call", "test_reconnection", {}],
    ["subscribe", "test://watched-resource"],
    ["call", "touch_resource", {"uri": "test://watched-resource"}],
    ["await", _UPDATED],
)
_SDK, _CLIENT = "@modelcontextprotocol/sdk", "@modelcontextprotocol/client"
Take = Callable[[str, Plan], Told]
LEGACY: dict[str, Take] = {
    "sdk": partial(take_with_node, _SDK, "legacy"),
    "client": partial(take_with_node, _CLIENT, "legacy"),
    "python": partial(take_with_python, "legacy"),
}
MODERN: dict[str, Take] = {
    "client": partial(take_with_node, _CLIENT, "2026-07-28"),
    "python": partial(take_with_python, "2026-07-28"),
}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        servers = {"npm": running_npm_everything, "pypi": running_server}
        folders = {name: tmp_path_factory.mktemp(name) for name in servers}
        yield {name: stack.enter_context(running_both(folders[name], server)) for name, server in servers.items()}


def both(ways: Any, take: Take, plan: Plan) -> Told:
    """Take the steps directly and through us; what was told is the same."""
    direct, through = take(ways.direct, plan), take(ways.through, plan)
    assert through == direct
    assert defects(ways.audit_file) == []
    # Process has read the answers: what the server lists is known by now.
    assert '"decision":"drift"' in ways.audit_file.read_text("utf-8")
    return through


@pytest.mark.parametrize("client", LEGACY)
def test_server_of_npm_is_the_same_through_us(ways: dict[str, Any], client: str) -> None:
    plan = _NPM if client == "python" else (*_NPM, *_RESUMED)
    told = str(both(ways["npm"], LEGACY[client], plan))
    assert all(text in told for text in ("Echo: hello", "sampled", "Ann", "file:///peer", _UPDATED))


@pytest.mark.parametrize("client", LEGACY)
def test_server_of_pypi_is_the_same_through_us(ways: dict[str, Any], client: str) -> None:
    told = str(both(ways["pypi"], LEGACY[client], (*_PYPI, *_ON_STREAMS)))
    assert all(text in told for text in ("went from 0 to 100", "sampled", "answered after", _UPDATED))


@pytest.mark.parametrize("client", MODERN)
def test_server_of_pypi_is_the_same_through_us_in_the_modern_era(ways: dict[str, Any], client: str) -> None:
    assert "went from 0 to 100" in str(both(ways["pypi"], MODERN[client], _PYPI))
