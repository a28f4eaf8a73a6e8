"""Strangers with megabytes next to good calls, through a real Envoy: no good call is denied, no memory is lost."""

import http.client
import json
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import builders as build
from tests.stage.process import START_S
from tests.stage.world import World, modern, running_world, tool_call

pytestmark = pytest.mark.envoy
STRANGERS, POSTS = 8, 12
BODY = json.dumps(tool_call(arguments={"customer_id": "x" * 1_000_000})).encode()
# Far below what the strangers send in all (96 MB), far above what a garbage collector leaves lying about.
ALLOWANCE_KIB = 48 * 1024


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    with running_world(tmp_path_factory.mktemp("strangers")) as running:
        yield running


def post_large(world: World, token: str | None) -> tuple[int, str]:
    """Post a megabyte, as far as the other end takes it; return status and Reason."""
    parts = urlsplit(world.crm)
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    headers |= {name.replace("_", "-"): value for name, value in modern().items()}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=START_S)
    try:
        connection.putrequest("POST", parts.path)
        for name, value in {**headers, "content-length": str(len(BODY))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            connection.send(BODY)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent: the answer is there to be read
        response = connection.getresponse()
        return response.status, str(json.loads(response.read())["error"]["data"]["reason"])
    finally:
        connection.close()


def storm(world: World, tokens: Sequence[str | None]) -> tuple[Counter[tuple[int, str]], Counter[int]]:
    """Let strangers post while good calls are made; count what each side was told."""
    good = world.one.mint(world.crm)

    def stranger(number: int) -> Counter[tuple[int, str]]:
        return Counter(post_large(world, tokens[(number + turn) % len(tokens)]) for turn in range(POSTS))

    told: Counter[int] = Counter()
    with ThreadPoolExecutor(STRANGERS) as pool:
        storming: list[Future[Counter[tuple[int, str]]]] = [pool.submit(stranger, n) for n in range(STRANGERS)]
        while not all(each.done() for each in storming) or told.total() < 20:
            told[world.post(good, tool_call(), **modern()).status_code] += 1
    return sum((each.result() for each in storming), Counter()), told


def memory_kib(world: World) -> int:
    status = Path(f"/proc/{world.sidecar.pid}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def test_strangers_without_a_token_get_no_good_call_denied(world: World):
    storm(world, [None])
    before = memory_kib(world)
    strangers, good = storm(world, [None])
    assert (strangers, set(good)) == (Counter({(401, "token_missing"): STRANGERS * POSTS}), {200})
    assert memory_kib(world) - before < ALLOWANCE_KIB


def test_strangers_with_their_own_token_get_no_good_call_denied(world: World):
    forged = world.one.mint(world.crm, private=build.ec_key("forger"))
    unknown = world.one.mint(world.crm, private=build.ec_key("forger"), kid="nobody-s")
    foreign = world.one.mint("https://elsewhere.example.com/mcp")
    tokens = [forged, unknown, foreign, "x.y.z"]
    storm(world, tokens)
    before = memory_kib(world)
    strangers, good = storm(world, tokens)
    assert {status for status, _ in strangers} == {401}
    assert set(good) == {200}
    assert {reason for _, reason in strangers} == {
        "token_signature",
        "token_key_unknown",
        "token_audience",
        "token_malformed",
    }
    assert memory_kib(world) - before < ALLOWANCE_KIB


def test_strangers_reach_no_backend(world: World):
    world.received()
    assert post_large(world, None) == (401, "token_missing")
    assert world.received() == []
