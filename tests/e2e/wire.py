"""HTTP/1.1 byte by byte: requests that no well-behaved client would send, and the result of them on both sides."""

import hashlib
import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.stage.process import BOUND_S
from tests.stage.world import VERSION, World, tool_call

GOOD = json.dumps(tool_call()).encode()
MODERN = (("mcp-protocol-version", VERSION), ("mcp-method", "tools/call"), ("mcp-name", "get_customer"))
_REQUEST_ID = re.compile(r'"[0-9a-f]{32}"')
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; header lines stand as they are written, `{token}`, `{host}` and `{length}` are filled in.

    Args:
        replaced: header lines that stand in the place of the good one of the same name.
        added: header lines behind the good ones.
        without: names of good header lines that are left out.
        raw: bytes (as Latin-1) where the last header line ends, for what is no header line at all.
        tail: bytes behind the body.
        stops: whether the client closes its side after what it sent.
    """

    line: str = "POST /crm/mcp HTTP/1.1"
    replaced: Sequence[Line] = ()
    added: Sequence[Line] = ()
    without: Sequence[str] = ()
    raw: str = ""
    body: bytes = GOOD
    tail: bytes = b""
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """What one backend received, where it is not what the good request brings.

    Args:
        changed: header values; None for a header that does not arrive.
        body: what arrived as body, chunks put together.
    """

    changed: Mapping[str, str | None]
    body: bytes = GOOD
    method: str = "POST"
    server: str = "crm"


AS_SENT = Passed({})


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and everything that comes of it: `reason` is ours, `passed` None means that nothing arrived."""

    sent: Sent
    status: int
    reason: str | None = None
    passed: Passed | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client got, and what the backends received; status 0 is a connection closed without an answer."""

    status: int
    reason: str | None
    body: bytes
    received: tuple[dict[str, Any], ...]
    later: tuple[int, ...] = ()


def send(world: World, sent: Sent, token: str | None = None) -> Seen:
    """Send one request, read every answer to it, and ask both backends what reached them."""
    raw = exchange(world, render(world, sent, token), stops=sent.stops)
    first, *later = read_answers(raw, has_body=not sent.line.startswith("HEAD")) or [Answer(0, {}, b"")]
    return Seen(first.status, reason_of(first.body), first.body, received_by_all(world), tuple(a.status for a in later))


def received_by_all(world: World) -> tuple[dict[str, Any], ...]:
    """List what reached any backend since it was last asked, each with its server's name."""
    names = ("crm", "billing")
    return tuple({**entry, "server": name} for name in names for entry in world.received(name))


def outcome_of(world: World, case: Case) -> tuple[object, ...]:
    """Send a case's request; say the result of it in the form of `expected_of`."""
    return summary_of(send(world, case.sent))


def summary_of(seen: Seen) -> tuple[object, ...]:
    """Say what was seen in the form of `expected_of`."""
    return seen.status, seen.reason, seen.later, tuple(_as_received(entry) for entry in seen.received)


def expected_of(world: World, case: Case) -> tuple[object, ...]:
    """Write what has to come of a case: one answer, and nothing or exactly one request at one backend."""
    return expected(world, case.status, case.reason, case.passed)


def expected(world: World, status: int, reason: str | None, passed: Passed | None) -> tuple[object, ...]:
    """Write what has to be seen: `Case` tells what its parts mean."""
    return status, reason, (), () if passed is None else (_as_passed(world, passed),)


def _as_received(entry: dict[str, Any]) -> tuple[object, ...]:
    lines = sorted((name, _stand_in(name, value)) for name, value in entry["headers"])
    return entry["server"], entry["method"], entry["path"], entry["query"], lines, entry["body_sha256"]


def _stand_in(name: str, value: str) -> str:
    is_ours = name == "agen-request-id" and _REQUEST_ID.fullmatch(value) is not None
    return "(drawn)" if is_ours else value


def _as_passed(world: World, passed: Passed) -> tuple[object, ...]:
    good: dict[str, str | None] = {
        "host": urlsplit(world.crm).netloc,
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "content-length": str(len(passed.body)),
        **dict(MODERN),
        "agen-issuer": f'"{world.one.issuer.url}"',
        "agen-subject": '"u-1"',
        "agen-tenant": '""',
        "agen-client": '"agent"',
        "agen-roles": '"analyst"',
        "agen-permissions": "",
        "agen-resource": f'"{passed.server}"',
        "agen-request-id": "(drawn)",
    }
    lines = sorted((name, value) for name, value in {**good, **passed.changed}.items() if value is not None)
    return passed.server, passed.method, "/mcp", "", lines, hashlib.sha256(passed.body).hexdigest()


def render(world: World, sent: Sent, token: str | None = None) -> bytes:
    """Write a request as bytes."""
    filled = {
        "{token}": token or world.one.mint(world.crm),
        "{host}": urlsplit(world.crm).netloc,
        "{length}": str(len(sent.body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in _lines(sent))
    head = f"{sent.line}\r\n{lines}{sent.raw}\r\n"
    for name, value in filled.items():
        head = head.replace(name, value)
    return head.encode("latin-1") + sent.body + sent.tail


def _lines(sent: Sent) -> list[Line]:
    good: list[Line] = [
        ("host", "{host}"), ("authorization", "Bearer {token}"), ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"), ("content-length", "{length}"), ("connection", "close"),
        *MODERN,
    ]  # fmt: skip
    instead = dict(sent.replaced)
    kept = [(name, instead.pop(name, value)) for name, value in good if name not in sent.without]
    return [*kept, *instead.items(), *sent.added]


def exchange(world: World, raw: bytes, *, stops: bool = False, wanted: int = 1) -> bytes:
    """Send bytes; return everything that comes back until Envoy says that it closes the connection, or does.

    Args:
        stops: whether the client closes its side at once.
        wanted: after how many answers it does so.
    """
    parts = urlsplit(world.crm)
    answer, has_body, is_open = b"", not raw.startswith(b"HEAD"), not stops
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=BOUND_S) as connection:
        try:
            connection.sendall(raw)
            if stops:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
                answers = read_answers(answer, has_body=has_body)
                if answers and answers[-1].headers.get("connection") == "close":
                    return answer
                if len(answers) >= wanted and is_open:
                    is_open = False
                    connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            # Closed while we were still sending.
            return answer
    return answer


def read_answers(raw: bytes, *, has_body: bool = True) -> list[Answer]:
    """Read every final answer in a row; interim ones are left out, and so is one that is not complete."""
    answers = []
    while (found := _read_answer(raw, has_body=has_body)) is not None:
        answer, raw = found
        if answer.status >= 200:
            answers.append(answer)
    return answers


def _read_answer(raw: bytes, *, has_body: bool) -> tuple[Answer, bytes] | None:
    head, mark, rest = raw.partition(b"\r\n\r\n")
    if not mark or not head.startswith(b"HTTP/1.1 "):
        return None
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    status = int(line.split(" ")[1])
    if not has_body:
        return Answer(status, headers, b""), rest
    if headers.get("transfer-encoding") == "chunked":
        return _read_chunks(status, headers, rest)
    # Only an interim answer, or one without a body, has no length.
    length = int(headers.get("content-length", "0"))
    if len(rest) < length:
        return None
    return Answer(status, headers, rest[:length]), rest[length:]


def _read_chunks(status: int, headers: Mapping[str, str], rest: bytes) -> tuple[Answer, bytes] | None:
    body = b""
    while True:
        size, mark, behind = rest.partition(b"\r\n")
        if not mark or len(behind) < int(size, 16) + 2:
            return None
        length = int(size, 16)
        body, rest = body + behind[:length], behind[length + 2 :]
        if length == 0:
            return Answer(status, headers, body), rest


def reason_of(body: bytes) -> str | None:
    """Read the Reason of an answer of ours; None where it is another caller's."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    error = document.get("error", {}) if isinstance(document, dict) else {}
    reason = error.get("data", {}).get("reason") if isinstance(error, dict) else None
    return str(reason) if reason is not None else None
