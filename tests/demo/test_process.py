"""The issuer and the MCP servers as processes: one line when they listen, a clean end, or why not."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from mcp import Client

from agen_authz.demo.listen import bind_loopback
from tests.demo.live import CRM
from tests.stage.process import START_S
from tests.stage.talk import Talk, talking

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).resolve().parent.parent.parent
ISSUER = ("agen_authz.demo.issuer", "--port", "0", "--resource", CRM)
BACKEND = ("agen_authz.demo.backend", "--crm", "0", "--billing", "0", "--record")


@pytest.fixture
def running(tmp_path):
    """Start one of our modules; it is ended with the test."""
    with ExitStack() as stack:

        def start(module: str, *arguments: str) -> Talk:
            command = [sys.executable, "-m", module, *arguments]
            return stack.enter_context(talking(command, tmp_path / "process.log", cwd=ROOT))

        yield start


def refuse(module: str, *arguments: str) -> tuple[int, str]:
    """Run one of our modules that cannot start."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_issuer_says_where_it_listens_and_ends_cleanly(running, number):
    issuer = running(*ISSUER)
    url = issuer.read_line().removeprefix("issuer listening on ")
    answer = httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False, timeout=START_S)
    issuer.process.send_signal(number)
    assert (answer.json()["issuer"], issuer.read_rest()) == (url, (0, "", ""))


async def test_both_servers_run_in_one_process_and_end_under_an_open_stream(running):
    backend = running(*BACKEND)
    urls = dict(place.split("=") for place in backend.read_line().removeprefix("backend listening on ").split(" "))
    async with Client(urls["crm"], mode="legacy") as crm, Client(urls["billing"]) as billing:
        tools = [len((await client.list_tools()).tools) for client in (crm, billing)]
        backend.process.terminate()
        code, rest, _ = backend.read_rest()
    assert (list(urls), tools, code, rest) == (["crm", "billing"], [8, 5], 0, "")


def test_port_in_use_is_one_line():
    with bind_loopback("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        answers = [
            refuse("agen_authz.demo.issuer", "--port", port, "--resource", CRM),
            refuse("agen_authz.demo.backend", "--crm", port),
        ]
    line = (
        f"demo: cannot listen on `127.0.0.1:{port}`: Address already in use;"
        " end the other process, or choose another port\n"
    )
    assert answers == [(2, line), (2, line)]


CANNOT_START = {
    "issuer without resource": (
        ("agen_authz.demo.issuer", "--port", "0"),
        "issuer: resources: no resource is named; name at least one, `--resource URL`\n",
    ),
    "issuer beyond loopback": (
        ("agen_authz.demo.issuer", "--host", "192.0.2.1", "--resource", CRM),
        "demo: cannot listen on `192.0.2.1:10001`: not a loopback address;"
        " use 127.0.0.1: the demo's secrets are public\n",
    ),
    "no server": (
        ("agen_authz.demo.backend",),
        "backend: no server is named; give `--crm PORT`, `--billing PORT` or both\n",
    ),
}


@pytest.mark.parametrize(("command", "line"), CANNOT_START.values(), ids=CANNOT_START)
def test_what_cannot_start_says_why(command, line):
    assert refuse(*command) == (2, line)
