"""A world whose rules mask what a backend is told to send, behind two Envoys: one for each mode of bodies.

Every rule is about its own tools, which are named after it. `get_plain` has none.
"""

import base64
import html
import json
import re
import signal
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from agen_authz.envoy.settings import Placement
from tests.e2e.told import CALL, EVENTS, Got, Told, chunked, dump, event, parse, read_on, rpc, whole
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.port import HOST, reserve_port
from tests.stage.process import BOUND_S, await_true
from tests.stage.scripted import Step, serving_scripted
from tests.stage.world import running_world

STREAMED, DUPLEX = "STREAMED", "FULL_DUPLEX_STREAMED"
MODES = (STREAMED, DUPLEX)
RULES = """\
  - name: everything
    state: enforce
    tools: ["crm/get_customer", "crm/get_typed", "crm/get_must", "billing/*"]
    resources: ["crm/customer://**", "billing/invoice://**"]
    prompts: ["crm/*"]
    presets: [pii, pci, secrets]
    style: {default: redact}
  - {name: by part, state: enforce, tools: ["crm/get_both"], presets: [pii, pci], style: {default: partial}}
  - {name: by hash, state: enforce, tools: ["crm/get_both"], detectors: {add: [email]}, style: {email: hash}}
  - {name: hashed, state: enforce, tools: ["crm/get_hash"], presets: [pii, pci], style: {default: hash}}
  - {name: tokens, state: enforce, tools: ["crm/get_token"], presets: [pii, pci], style: {default: tokenize}}
  - name: but
    state: enforce
    tools: ["crm/get_but"]
    presets: [pii, pci]
    style: {default: redact}
    exempt_paths: [/result/structuredContent/rows/*/email]
  - {name: pictures, state: enforce, tools: ["crm/get_picture"], presets: [pci], style: {default: redact}, binary: pass}
  - name: loose
    state: enforce
    tools: ["crm/get_loose"]
    presets: [pci]
    style: {default: redact}
    on_failure: pass
  - {name: watched, state: shadow, tools: ["crm/get_shadow"], presets: [pii, pci]}
  - name: watched too
    state: shadow
    tools: ["crm/get_customer"]
    detectors: {add: [ip_address]}
  - name: some callers
    state: enforce
    tools: ["crm/get_some"]
    when: ['!("admin" in user.roles)']
    presets: [pci]
    style: {default: redact}
  - name: unsure
    state: enforce
    tools: ["crm/get_unsure"]
    when: ['args.limit > 10']
    presets: [pci]
    style: {default: redact}
  - name: ours
    state: enforce
    tools: ["crm/get_ours"]
    custom: [{name: badge, pattern: 'BDG-[0-9]{6}'}]
"""


@dataclass(frozen=True)
class Values:
    """What a message holds: the real values, or what takes their places."""

    card: str = "4111111111111111"
    spaced: str = "4111 1111 1111 1111"
    mail: str = "jane.roe@example.com"
    ssn: str = "536-22-8145"
    key: str = "AKIA4HZQWT2MKXJ7PLRD"
    number: Any = 4111111111111111

    def all(self) -> str:
        return f"Card {self.card}, {self.spaced}; mail {self.mail}, SSN {self.ssn}; key {self.key}."

    def blob(self) -> str:
        return base64.b64encode(self.all().encode()).decode()


REAL = Values()
MARKS = Values("[CREDIT_CARD]", "[CREDIT_CARD]", "[EMAIL]", "[US_SSN]", "[AWS_KEY]", "[CREDIT_CARD]")
TEXTS = {"mail": REAL.mail, "key": REAL.key.lower()}
DIGITS = {"card": REAL.card, "ssn": REAL.ssn.replace("-", "")}
_WORD = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_BETWEEN = re.compile(r"[\s._,;:/\\()-]")


def find_leaks(raw: bytes, depth: int = 3) -> set[str]:
    """Name the values that whoever reads these bytes gets, in whatever spelling."""
    text = unicodedata.normalize("NFKC", html.unescape(unquote_to_bytes(raw).decode("utf-8", "replace")))
    text = "".join(char for char in text if unicodedata.category(char) != "Cf").casefold()
    digits = "".join(str(unicodedata.digit(char, char)) for char in _BETWEEN.sub("", text))
    found = {name for name, value in TEXTS.items() if value in text}
    found |= {name for name, value in DIGITS.items() if value in digits}
    if depth:
        for inner in _decode(raw):
            found |= find_leaks(inner, depth - 1)
    return found


def _decode(raw: bytes) -> Iterator[bytes]:
    text = raw.decode("utf-8", "replace")
    for word in _WORD.findall(text):
        whole = word.replace("-", "+").replace("_", "/")
        yield base64.b64decode(whole[: len(whole) // 4 * 4])
    if "\\" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda each: chr(int(each[1], 16)), text).encode("utf-8", "replace")
        yield re.sub(r"\\(.)", r"\1", text).encode()


@dataclass
class Masked:
    """A world that masks, and the ports of its Envoys."""

    told: Told
    ports: dict[str, int]

    def ask(self, body: Any = CALL, mode: str = STREAMED, **more: Any) -> Got:
        """Send a request and read until the connection ends; more as for `Told.render`."""
        with socket.create_connection((HOST, self.ports[mode]), timeout=BOUND_S) as connection:
            connection.sendall(self.told.render(body, **more))
            return parse(b"".join(read_on(connection)))

    def get(self, *steps: Step, body: Any = CALL, mode: str = STREAMED, **more: Any) -> Got:
        """Let the backend answer so, and ask."""
        self.told.tell(*steps)
        return self.ask(body, mode, **more)

    def mint(self, **claims: Any) -> str:
        """Sign a token for `crm`."""
        return self.told.world.one.mint(self.told.world.crm, **claims)

    def events(self, subject: str, word: str = "mask") -> list[dict[str, Any]]:
        """Read the events of a kind about a caller."""
        events = self.told.world.events()
        return [each for each in events if each["decision"] == word and each["principal"]["subject"] == subject]

    def wait_for_event(self, subject: str, word: str = "mask") -> dict[str, Any]:
        """Read the only event of a kind about a caller, once it is there; the value of nothing is in it."""
        self.wait_for(lambda: bool(self.events(subject, word)))
        (event,) = self.events(subject, word)
        assert find_leaks(json.dumps(event).encode()) == set()
        return event

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for what comes after a response has ended."""
        await_true(self.told.world.sidecar, "the sidecar", is_so, self.told.folder / "sidecar.log")

    def count(self, name: str, **labels: str) -> float:
        """Add up a metric over what has these labels."""
        rows = self.told.world.web.get(f"{self.told.world.ops}/metrics").text.splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = [
            row for row in rows if row.startswith((name + "{", name + " ")) and all(each in row for each in wanted)
        ]
        return sum(float(row.rpartition(" ")[2]) for row in found)

    def change(self, old: str, new: str) -> None:
        """Change the configuration, and wait until both processes go by it."""
        file = self.told.folder / "agen.yaml"
        text = file.read_text("utf-8")
        assert old in text
        before = self._read_version()
        file.write_text(text.replace(old, new), "utf-8")
        self.told.world.sidecar.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self._read_version() not in (before, ""))

    def _read_version(self) -> str:
        """Read which rules decided a call and masked its response; empty if they are not known to both yet."""
        got = self.get(whole(dump(result(REAL.card))), body=call("get_ours"))
        decided = [each for each in self.told.world.events() if each["decision"] == "allow"]
        # The rule of this tool is about something else, and what is not known is masked by every preset.
        return str(decided[-1]["policy_set"]) if got.messages == [result(REAL.card)] else ""

    def run(self, *words: str) -> None:
        """Run `agen-authz tools`."""
        file = str(self.told.folder / "agen.yaml")
        command = [sys.executable, "-m", "agen_authz", "tools", *words, "--config", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done


def call(name: str, arguments: Any = None, **params: Any) -> dict[str, Any]:
    """Write a call of a tool."""
    given = {"name": name, "arguments": {} if arguments is None else arguments, **params}
    return rpc(id=7, method="tools/call", params=given)


def result(text: str, **members: Any) -> dict[str, Any]:
    """Write the result of a tool that says something."""
    return rpc(id=7, result={"content": [{"type": "text", "text": text}], **members})


def in_events(*messages: Any) -> bytes:
    """Write messages as events."""
    return chunked(*map(event, messages), media=EVENTS)


def cut(raw: bytes, size: int) -> list[bytes]:
    """Cut bytes into pieces, each sent by itself."""
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def _changed(config: str) -> str:
    """Let streams be resumed, tenants be known, and all of billing be used."""
    config = re.sub(r"(?m)^unruled_sample:.*\n", "unruled_sample: 100%\n", config)
    config = config.replace("- name: crm\n", "- name: crm\n    resumable: true\n", 1)
    config = config.replace("roles: any,", "roles: any, claims: {tenant: tenant},")
    only, all_of_it = 'tools: ["billing/get_invoice"]', 'tools: ["billing/*"], resources: ["billing/invoice://**"]'
    return config.replace(only, all_of_it)


@contextmanager
def masked_world(folder: Path) -> Iterator[Masked]:
    """Run everything, with a backend that is told what to send as `crm`, and the demo's as `billing`."""
    (folder / "masking.key").write_bytes(b"k" * 32)
    key = f"masking_keys: [{{id: one, secret_file: {folder}/masking.key}}]\n"
    more = f"{key}tools: {{pinning: observe}}\ndata_protection:\n{RULES}"
    with (
        serving_scripted() as backend,
        running_world(folder, more=more, crm_port=backend.port, changed=_changed) as world,
    ):
        port = reserve_port()
        placement = Placement(
            listener=TcpAddress(HOST, port),
            admin=TcpAddress(HOST, reserve_port()),
            upstreams={name: Upstream(TcpAddress(HOST, backend.port)) for name in ("crm", "billing")},
        )
        sidecar = sidecar_of(folder / "agen.yaml", placement)
        with run_envoy(launch_envoy(folder, sidecar, changed=_in_duplex, name="duplex")):
            first = int(world.crm.split(":")[2].partition("/")[0])
            yield Masked(Told(world, backend, folder), {STREAMED: first, DUPLEX: port})


def _in_duplex(config: str) -> str:
    written = config.replace(f"response_body_mode: {STREAMED}", f"response_body_mode: {DUPLEX}")
    assert written != config
    return written
