"""One request and what may be answered to it; each carries a separate mark, in a header and in its arguments."""

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bench.soak.ledger import MARK
from bench.soak.purse import Purse, Wish
from bench.soak.truth import ALLOWED, Answer, Span, Token, answers_to
from bench.soak.wire import Headers, Place, place_of, write_request
from tests.stage.world import VERSION

LEGACY = "2025-11-25"
_PREFIX = "io.modelcontextprotocol/"
Judge = Callable[[Span], frozenset[Answer]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, its mark, the id of its message, and how its answer is judged."""

    kind: str
    mark: str
    method: str
    place: Place
    headers: Headers
    body: bytes
    judge: Judge
    caller: Mapping[str, str] = field(default_factory=dict)
    is_chunked: bool = False

    def booked_as(self) -> str:
        """Tell what the backend can know it by: only `crm` is forwarded the mark."""
        return self.mark if self.place.path.startswith("/crm") else hashlib.sha256(self.body).hexdigest()

    def raw(self) -> bytes:
        """Write it down."""
        return write_request(self.method, self.place, self.headers, self.body, is_chunked=self.is_chunked)


def only(status: int, reason: str, arrivals: int = 0) -> Judge:
    """Expect one answer, whatever else is going on."""
    expected = frozenset({Answer(status, reason, arrivals)})
    return lambda _: expected


def after(token: Token, beyond: Answer | Callable[[Span], frozenset[Answer]] = ALLOWED) -> Judge:
    """Expect an answer, unless the token is refused."""
    if isinstance(beyond, Answer):
        expected = frozenset({beyond})
        return lambda span: answers_to(token, span, expected)
    return lambda span: answers_to(token, span, beyond(span))


class Maker:
    """Makes requests, each different from all others; one for each thread."""

    def __init__(self, name: str, seed: int, purse: Purse) -> None:
        self.rng = random.Random(f"{name}-{seed}")  # noqa: S311  which call comes next is not secret
        self.purse = purse
        self._name = name
        self._serial = count(1)
        self._places = {resource: place_of(purse.url(resource)) for resource in ("crm", "billing")}

    def mark(self) -> str:
        """Make a mark that no other request has."""
        return f"soak-{self._name}-{next(self._serial)}"

    def token(self, **wish: Any) -> Token:
        """Draw a token of either issuer."""
        issuer = wish.pop("issuer", None) or self.rng.choice(("one", "two"))
        return self.purse.draw(self.rng, Wish(issuer, **wish))

    def wish(self, issuer: str | None = None) -> Wish:
        """Wish for the plainest token of either issuer."""
        return Wish(issuer or self.rng.choice(("one", "two")))

    def place(self, resource: str = "crm", path: str | None = None) -> Place:
        """Say where a resource is; `path` leads elsewhere on its host."""
        place = self._places[resource]
        return place if path is None else replace(place, path=path)

    def caller(self, token: Token, resource: str = "crm") -> dict[str, str]:
        """Write what the backend must receive about the caller."""
        return {
            "agen-subject": f'"{token.subject}"',
            "agen-issuer": f'"{self.purse.provider(token.issuer).issuer.url}"',
            "agen-resource": f'"{resource}"',
        }

    def headers(self, token: Token | str | None, mark: str, **changes: str | None) -> list[tuple[str, str]]:
        """Write the headers of any request; None leaves one out."""
        raw = token.raw if isinstance(token, Token) else token
        given: dict[str, str | None] = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "authorization": None if raw is None else f"Bearer {raw}",
            MARK: mark,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return [(name, value) for name, value in given.items() if value is not None]

    def modern(self, kind: str, token: Token | str | None, judge: Judge, **said: Any) -> Ask:
        """Write a modern tools/call; `tool`, `args` and `resource` say which, the rest changes headers."""
        tool, resource = said.pop("tool", "get_customer"), said.pop("resource", "crm")
        mark = self.mark()
        params = {"name": tool, "arguments": said.pop("args", {"customer_id": "c-1001"}) | {"mark": mark}}
        return self.message(kind, token, judge, method="tools/call", name=tool, params=params, mark=mark,
                            resource=resource, **said)  # fmt: skip

    def message(self, kind: str, token: Token | str | None, judge: Judge, *, method: str, **said: Any) -> Ask:
        """Write a modern message; `params`, `name`, `mark` and `resource` say which, the rest changes headers."""
        mark, resource, name = (
            said.pop("mark", None) or self.mark(),
            said.pop("resource", "crm"),
            said.pop("name", None),
        )
        meta = {f"{_PREFIX}protocolVersion": VERSION, f"{_PREFIX}clientCapabilities": {}}
        params = {**said.pop("params", {}), "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": mark, "method": method, "params": params}).encode()
        era = {"mcp_protocol_version": VERSION, "mcp_method": method, "mcp_name": name}
        headers = self.headers(token, mark, **(era | said))
        caller = self.caller(token, resource) if isinstance(token, Token) else {}
        return Ask(kind, mark, "POST", self.place(resource), headers, body, judge, caller)

    def legacy(self, kind: str, token: Token, judge: Judge, *, body: Any, **said: Any) -> Ask:
        """Write a legacy message, or any bytes; the id of a message is its mark."""
        mark = self.mark()
        if isinstance(body, dict):
            body = json.dumps({"jsonrpc": "2.0", "id": mark, **body}).encode()
        headers = self.headers(token, mark, **said)
        return Ask(kind, mark, "POST", self.place(), headers, body, judge, self.caller(token))

    def bodiless(self, kind: str, method: str, token: Token, judge: Judge, session: str) -> Ask:
        """Write a GET or DELETE within a session."""
        mark = self.mark()
        headers = self.headers(token, mark, content_type=None, mcp_session_id=session, mcp_protocol_version=LEGACY)
        return Ask(kind, mark, method, self.place(), headers, b"", judge, self.caller(token))
