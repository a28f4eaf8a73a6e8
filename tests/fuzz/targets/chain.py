"""Check as a whole, on fakes: from a request as text to what Envoy is told.

`{token}` in `authorization` is a good token.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from typing import Any

from agen_authz.core.http.context import Perimeter
from agen_authz.core.signature import SignedTarget, Signer, SigningKey
from tests import builders as build
from tests.check.rig import Rig, Seen
from tests.fakes import MemoryKeys
from tests.fuzz.backend import is_vouched_for
from tests.fuzz.keys import good_token, keys
from tests.fuzz.reference import Refused, read_json
from tests.fuzz.targets.target import Finding, Target, expect
from tests.fuzz.written import PEER, Written, read_written, write_check

SECRET = b"s" * 32
HOSTS = frozenset({"mcp.example.com", "mcp.example.com:443"})
# What the rules of `builders.access` grant to an analyst, written down once more.
GRANTED = {
    "tools/call": re.compile(r"get_[A-Za-z0-9_.:-]*"),
    "prompts/get": re.compile(r"summarize"),
    "resources/read": re.compile(r"customer://.*"),
    "resources/subscribe": re.compile(r"customer://.*"),
    "resources/unsubscribe": re.compile(r"customer://.*"),
}
# They name nothing, or are looked at by the target `mcp`.
UNNAMED = re.compile(
    r"initialize|ping|logging/setLevel|server/discover|(tools|prompts|resources|resources/templates)/list"
    r"|completion/complete|subscriptions/listen|notifications/.*"
)
Ask = Callable[[bytes], Seen]


@cache
def token() -> str:
    """Sign the token of an analyst, one for all inputs."""
    return good_token("ec")


def build_rig() -> Rig:
    """Build a separate Check: what one input leaves behind must not meet the next."""
    resource = build.resource(is_signed=True, resumable=True, forward_headers=frozenset({"x-tenant"}))
    target = SignedTarget("https", "mcp.example.com", "/crm/mcp", None)
    components = ("@authority", "mcp-session-id", "x-tenant")
    signer = Signer(SigningKey("crm-1", SECRET), target, resource_header='"crm"', components=components)
    return Rig(
        resources=(resource, build.billing()),
        signers={"crm": signer},
        keys=MemoryKeys.holding(idp=keys().published.values(), other=[]),
        perimeter=Perimeter((ip_network(f"{PEER}/32"),), "x-country"),
    )


def check(raw: bytes, ask: Ask | None = None) -> None:
    """Have a request decided, and expect an answer that says why, or a request that the backend can believe."""
    written = read_written(raw)
    sent = replace(written, headers=tuple(_with_token(name, value) for name, value in written.headers))
    rig = build_rig()
    seen = rig.check(write_check(sent)) if ask is None else ask(write_check(sent))
    expect(seen.reason != "internal_error" and 200 <= seen.status < 600, "every request is decided, none breaks us")
    told = (*seen.headers, *seen.added)
    expect(not any(mark in text for pair in told for text in pair for mark in "\r\n\0"), "headers are of one line")
    expect(token() not in seen.body and not any(token() in value for _, value in told), "no token is told")
    if ask is None:
        events = (len(rig.audit.events), len(rig.metrics.decisions))
        expect(events == (1, 1), "one event and one count for each request")
        expect(token() not in repr(rig.audit.events), "no token is recorded")
    if seen.is_allowed:
        _expect_allowable(sent)
        expect(is_vouched_for(_arriving(sent, seen), sent.body, SECRET), "the backend can believe what it gets")


def _with_token(name: str, value: str) -> tuple[str, str]:
    # Nowhere else: an event tells what a client calls its origin, whatever that is.
    return name, value.replace("{token}", token()) if name.lower() == "authorization" else value


def _arriving(sent: Written, seen: Seen) -> dict[str, str]:
    derived = {
        "@method": sent.method,
        "@path": sent.path,
        "@query": "?",
        "@authority": sent.host.lower().removesuffix(":443"),
    }
    # The last copy of a header that came twice; a signed one must not have come twice.
    kept = {name.lower(): value.strip(" \t") for name, value in sent.headers if name.lower() not in seen.removed}
    return kept | derived | dict(seen.headers)


def _expect_allowable(sent: Written) -> None:
    expect(sent.host in HOSTS and sent.path == "/crm/mcp", "only a resource of ours, spelt as it is")
    credentials = [value for name, value in sent.headers if name.lower() == "authorization"]
    expect(len(credentials) == 1, "one credential")
    word, _, credential = credentials[0].partition(" ")
    expect(word.lower() == "bearer" and credential.lstrip(" ") == token(), "only with the token that was signed")
    names = [name.lower() for name, _ in sent.headers]
    expect(not any("_" in name for name in names), "no name that a backend folds")
    expect("upgrade" not in names, "no other protocol")
    if sent.method in ("GET", "DELETE"):
        expect(not sent.body, "no body where there is none")
        return
    expect(sent.method == "POST" and "text" not in sent.ways, "no other method, no text for bytes")
    _expect_granted(sent.body)


def _expect_granted(body: bytes) -> None:
    try:
        document: Any = read_json(body)
    except Refused as exc:
        raise Finding(f"the reference refuses what is allowed: {exc}") from exc
    expect(isinstance(document, dict), "one message")
    if "method" not in document:
        expect("result" in document or "error" in document, "an answer to the server")
        return
    method, params = document["method"], document.get("params", {})
    granted = GRANTED.get(method)
    if granted is None:
        expect(UNNAMED.fullmatch(method) is not None, "no method that nobody knows")
        return
    named = params.get("uri" if method.startswith("resources/") else "name")
    expect(isinstance(named, str) and granted.fullmatch(named) is not None, "only what a rule grants")


TARGET = Target("chain", check, "request")
