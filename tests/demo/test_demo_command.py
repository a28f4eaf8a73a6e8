"""`agen-authz demo` as a person runs it: a real Envoy, real processes, on ports that nobody else has."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from agen_authz.demo.plan import DemoPorts, Plan, read_ports
from tests.stage.port import reserve_port
from tests.stage.process import START_S, STOP_S
from tests.stage.talk import Talk, talking

pytestmark = pytest.mark.envoy

PORTS = DemoPorts(*(reserve_port() for _ in fields(DemoPorts)))
TOOLS = f"{sys.executable} -m agen_authz tools"
COMMAND = (sys.executable, "-m", "agen_authz", "demo", "--ports", str(PORTS))
CRM = Plan(Path(), PORTS).url_of("crm")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[tuple[Talk, list[str], Path]]:
    folder = tmp_path_factory.mktemp("demo")
    with talking([*COMMAND, "--state", str(folder / "state")], folder / "demo.log") as talk:
        lines = [*iter(talk.read_line, "ready"), "ready"]
        yield talk, lines, folder / "state"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    # Ended politely if it hangs: what it started ends with it.
    with TemporaryDirectory() as folder, talking([*COMMAND, *words], Path(folder) / "demo.log") as talk:
        return subprocess.CompletedProcess(words, *talk.read_rest())


def shell(command: str) -> str:
    return subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True, timeout=START_S).stdout


def test_ready_is_printed_once_a_call_was_decided(demo):
    _, lines, state = demo
    events = [json.loads(line) for line in (state / "audit.jsonl").read_text("utf-8").splitlines()]
    assert lines[-1] == "ready"
    allowed = [event["call"]["method"] for event in events if event["decision"] == "allow"]
    assert allowed == [*("server/discover", "tools/list") * 2, "tools/call"]


def test_demo_approves_what_its_servers_list_and_says_so(demo):
    listed = json.loads(shell(f"{TOOLS} list --json --config {demo[2] / 'agen.yaml'} || true"))["tools"]
    approved = {f"{each['server']}/{each['tool']}" for each in listed if each["approved"]}
    assert {"crm/get_deal", "crm/(instructions)", "billing/payout", "billing/(instructions)"} <= approved
    assert "the demo has approved what its servers list now" in "\n".join(demo[1])


def commands_of(lines: list[str]) -> list[str]:
    return ["# " + part.partition("\n\n")[0] for part in "\n".join(lines).split("  # ")[1:]]


def test_commands_that_call_tools_are_printed_and_work(demo):
    first, second, third = (json.loads(shell(command)) for command in commands_of(demo[1])[:3])
    assert first["result"]["structuredContent"]["customer"]["customer_id"] == "c-1001"
    assert second["error"]["data"]["reason"] == "unknown_target"
    assert third["result"]["structuredContent"]["customer_id"] == "c-1005"


def test_tool_that_is_reworded_for_the_model_is_hidden_until_it_is_pinned(demo):
    describe, look, differ, pin = commands_of(demo[1])[3:]
    assert '"get_deal"' in shell(look)
    shell(describe)
    assert '"get_deal"' not in shell(look)
    assert "crm/get_deal: changed (wording, instruction)" in shell(f"{differ} || true")
    assert shell(pin).endswith("pinned\n")
    # Every worker that inspects knows it within a second.
    while '"get_deal"' not in shell(look):
        pass


@pytest.mark.parametrize(
    "words", [("token", "support"), ("token", "admin", "--acr", "urn:mfa", "--ttl", "5m")], ids=str
)
def test_token_is_printed_and_accepted(demo, words):
    token = run(*words).stdout.strip()
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/list",
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    assert httpx.post(CRM, json=body, headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize("port", [PORTS.crm, PORTS.billing], ids=["crm", "billing"])
def test_servers_of_the_demo_answer_only_to_envoy(demo, port):
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    refused = httpx.post(f"http://127.0.0.1:{port}/mcp", json=body, trust_env=False)
    assert (refused.status_code, refused.content) == (403, b"")


def test_second_demo_ends_with_one_line(demo):
    second = run()
    assert (second.returncode, second.stdout, second.stderr.count("\n")) == (1, "", 1)
    assert "another demo is running" in second.stderr


def test_duration_that_is_none_is_misuse(demo):
    refused = run("token", "support", "--ttl", "soon")
    assert (refused.returncode, "--ttl" in refused.stderr) == (2, True)


def test_sigterm_ends_everything_that_was_started(demo):
    process = demo[0].process
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(children) == 4
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_S) == 0
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def test_tour_goes_as_told_and_token_without_a_demo_is_refused(demo):
    # After the demo has ended: the tour starts its own.
    toured = run("--tour")
    assert (toured.returncode, "Everything went as told." in toured.stdout) == (0, True)
    assert ["analyst", "admin"] in [line.split() for line in toured.stdout.splitlines()]
    assert ["-", "delete_customer"] in [line.split() for line in toured.stdout.splitlines()]
    # The evidence that it points at is there when it has ended, and nothing else of the demo is.
    evidence = Path(toured.stdout.rpartition("The evidence of every call is in ")[2].strip())
    assert len(evidence.read_text("utf-8").splitlines()) > 10
    assert list(evidence.parent.iterdir()) == [evidence]
    shutil.rmtree(evidence.parent)
    alone = run("token", "analyst")
    assert (alone.returncode, alone.stderr.count("\n")) == (1, 1)


def test_usual_ports_are_those_of_the_contract():
    assert read_ports("") == DemoPorts(
        envoy=10000, issuer=10001, crm=10002, billing=10003, authz=9191, proc=9192, ops=9464
    )


def test_ports_are_read_as_they_are_written():
    assert (str(DemoPorts()), str(DemoPorts(envoy=1, ops=2)), read_ports(str(PORTS))) == (
        "",
        "envoy=1,ops=2",
        PORTS,
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("envoi=1", "unknown part `envoi`; there are envoy, issuer, crm, billing, authz, proc, ops, console"),
        ("envoy", "expected a port from 1 to 65535 for `envoy`, got ``"),
        ("envoy=0", "expected a port from 1 to 65535 for `envoy`, got `0`"),
        ("ops=65536", "expected a port from 1 to 65535 for `ops`, got `65536`"),
        ("envoy=10001", "two parts have the same port"),
    ],
)
def test_ports_that_are_none_are_misuse(given, told):
    refused = run("--ports", given)
    assert (refused.returncode, refused.stderr) == (2, f"--ports: {told}\n")
