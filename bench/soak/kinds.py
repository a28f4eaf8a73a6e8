"""The kinds of calls, allowed and refused, each with its weight and the answer that it must get."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from bench.soak.ask import Ask, Maker, after, only
from bench.soak.stage import CAP, TOGGLED_TOOL
from bench.soak.truth import UNKNOWN_TARGET, Answer, toggled, unknown_key

Make = Callable[[Maker], Ask]
# The resources' limit, and a body beyond it.
REQUEST_BYTES = 1 << 20
_DEEP = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"[" * 100 + b"]" * 100 + b"}}"
_PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'

# name: (body, status, reason)
ODD: dict[str, tuple[Any, int, str]] = {
    "no json": (b"{", 400, "json_syntax"),
    "trailing": (_PING + b"x", 400, "json_syntax"),
    "byte order mark": (b"\xef\xbb\xbf" + _PING, 400, "json_encoding"),
    "utf-16": (_PING.decode().encode("utf-16"), 400, "json_encoding"),
    "duplicate key": (b'{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"x"}', 400, "json_duplicate_key"),
    "nan": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', 400, "json_number"),
    "overflow": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e999}}', 400, "json_number"),
    "surrogate": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\\ud800"}}', 400, "json_surrogate"),
    "deep": (_DEEP, 400, "json_depth"),
    "twin": (b'{"jsonrpc":"2.0","id":1,"method":"ping","Method":"x"}', 400, "json_key_twin"),
    "batch": (b"[" + _PING + b"]", 400, "batch"),
    "null id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, "id_malformed"),
    "empty": (b"", 400, "body_empty"),
    "unknown method": ({"method": "x/y"}, 200, "unknown_method"),
}
# path, status, reason: what Envoy does not route never reaches us.
FOREIGN = (
    ("/", 404, "-"), ("/crm", 404, "-"), ("/crm/mcp/", 404, "-"), ("/CRM/mcp", 404, "-"), ("/crm/%2e%2e/mcp", 404, "-"),
    ("/crm/mcp?x=1", 400, "foreign_query"), ("/admin", 404, "-"),
)  # fmt: skip


def allowed(m: Maker) -> Ask:
    token = m.token()
    tool, args = m.rng.choice(
        (
            ("get_customer", {"customer_id": f"c-100{m.rng.randrange(1, 6)}"}),
            ("get_deal", {"deal_id": "d-2001"}),
            ("search_customers", {"query": "a", "limit": 3}),
        )
    )
    return m.modern("allowed", token, after(token), tool=tool, args=args)


def chunked(m: Maker) -> Ask:
    token = m.token()
    return replace(m.modern("allowed, chunked", token, after(token)), is_chunked=True)


def billing(m: Maker) -> Ask:
    # Billing forwards no header of the client's: the digest of the body is the mark.
    token = m.token(issuer="one", resource="billing")
    args = {"invoice_id": "i-4001"}
    return m.modern("allowed, billing", token, after(token), tool="get_invoice", args=args, resource="billing")


def edit(m: Maker) -> Ask:
    token = m.token(roles=("support",))
    amount = float(m.rng.randrange(1000))
    args = {"deal_id": "d-2005", "amount": amount}
    return m.modern("allowed, edit", token, after(token), tool="update_deal", args=args)


def capped(m: Maker) -> Ask:
    token = m.token(roles=("support",))
    args = {"deal_id": "d-2005", "amount": CAP + 0.5}
    judge = after(token, Answer(200, "policy_denied"))
    return m.modern("a policy denies", token, judge, tool="update_deal", args=args)


def listed(m: Maker) -> Ask:
    token = m.token()
    return m.message("allowed, list", token, after(token), method="tools/list")


def read(m: Maker) -> Ask:
    token = m.token()
    uri = "customer://c-1001"
    return m.message("allowed, resource", token, after(token), method="resources/read", name=uri, params={"uri": uri})


def toggle(m: Maker) -> Ask:
    token = m.token()
    return m.modern("toggled rule", token, after(token, toggled), tool=TOGGLED_TOOL, args={})


def no_token(m: Maker) -> Ask:
    return m.modern("no token", None, only(401, "token_missing"))


def malformed_token(m: Maker) -> Ask:
    return m.modern("malformed token", m.rng.choice(("x", "a.b.c", "a.b")), only(401, "token_malformed"))


def expired(m: Maker) -> Ask:
    wish = replace(m.wish(), lifetime_s=-10.0)
    token = m.purse.mint(m.rng, wish)
    return m.modern("expired", token, after(token))


def expiring(m: Maker) -> Ask:
    # Good for a few seconds: while it is remembered, it ends.
    token = m.token(lifetime_s=6.0)
    return m.modern("expiring", token, after(token))


def wrong_audience(m: Maker) -> Ask:
    token = m.token(resource="billing")
    return m.modern("wrong audience", token, after(token, Answer(401, "token_audience")))


def wrong_issuer(m: Maker) -> Ask:
    # Issuer two does not speak for billing, whatever its key is worth.
    token = m.token(issuer="two", resource="billing")
    return m.modern("wrong issuer", token, only(401, "token_issuer"), tool="get_invoice", resource="billing")


def no_scope(m: Maker) -> Ask:
    token = m.token(scope=None)
    return m.modern("no scope", token, after(token, Answer(403, "scope_missing")))


def forged(m: Maker) -> Ask:
    token = m.purse.forged(m.rng, m.wish())
    return m.modern("forged", token, after(token, Answer(401, "token_signature")))


def unheard(m: Maker) -> Ask:
    wish = m.wish()
    token = m.purse.unheard(m.rng, wish)
    return m.modern("unknown key", token, partial(unknown_key, wish.issuer))


def unknown_tool(m: Maker) -> Ask:
    token = m.token()
    tool = f"no_{m.rng.getrandbits(64):x}"
    return m.modern("unknown tool", token, after(token, UNKNOWN_TARGET), tool=tool)


def wrong_role(m: Maker) -> Ask:
    token = m.token()
    return m.modern("wrong role", token, after(token, UNKNOWN_TARGET), tool="update_deal", args={"deal_id": "d-2005"})


def odd_json(m: Maker) -> Ask:
    body, status, reason = ODD[m.rng.choice(list(ODD))]
    token = m.token()
    return m.legacy("odd JSON", token, after(token, Answer(status, reason)), body=body)


def media_type(m: Maker) -> Ask:
    token = m.token()
    judge = after(token, Answer(415, "media_type"))
    return m.modern("media type", token, judge, content_type="text/plain")


def compressed(m: Maker) -> Ask:
    token = m.token()
    ask = m.modern("compressed", token, after(token, Answer(415, "content_encoding")), content_encoding="gzip")
    return replace(ask, body=gzip.compress(ask.body))


def origin(m: Maker) -> Ask:
    token = m.token()
    return m.modern("foreign origin", token, only(403, "origin_refused"), origin="https://evil.example.com")


def mismatch(m: Maker) -> Ask:
    token = m.token()
    return m.modern("header mismatch", token, after(token, Answer(400, "header_mismatch")), mcp_name="get_deal")


def repeated(m: Maker) -> Ask:
    token = m.token()
    ask = m.modern("repeated header", token, only(400, "header_repeated"))
    return replace(ask, headers=[*ask.headers, ("mcp-name", "get_deal")])


def foreign_path(m: Maker) -> Ask:
    path, status, reason = m.rng.choice(FOREIGN)
    token = m.token()
    return replace(m.modern("foreign path", token, only(status, reason)), place=m.place(path=path))


def put(m: Maker) -> Ask:
    token = m.token()
    ask = m.modern("wrong method", token, only(405, "method_not_allowed"))
    return replace(ask, method="PUT", headers=[*ask.headers, ("content-length", str(len(ask.body)))])


def notification(m: Maker) -> Ask:
    token = m.token()
    body = b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"get_customer"}}'
    return m.legacy("denied notification", token, after(token, Answer(202, "-")), body=body)


def nobodys_session(m: Maker) -> Ask:
    token = m.token()
    session = f"{m.rng.getrandbits(128):032x}"
    body: dict[str, Any] = {"result": {}}
    return m.legacy(
        "unknown session", token, after(token, Answer(404, "session_unknown")), body=body, mcp_session_id=session
    )


def too_large(m: Maker) -> Ask:
    # Envoy says so itself, before Check is asked.
    token = m.token()
    args = {"customer_id": "x" * REQUEST_BYTES}
    return m.modern("too large", token, only(413, "-"), args=args)


WEIGHTS: dict[Make, int] = {
    allowed: 300, chunked: 20, billing: 60, edit: 40, capped: 20, listed: 20, read: 20, toggle: 100,
    no_token: 30, malformed_token: 20, expired: 20, expiring: 40, wrong_audience: 20, wrong_issuer: 20, no_scope: 20,
    forged: 15, unheard: 15, unknown_tool: 40, wrong_role: 30, odd_json: 60, media_type: 10, compressed: 10, origin: 10,
    mismatch: 20, repeated: 10, foreign_path: 20, put: 10, notification: 15, nobodys_session: 15, too_large: 2,
}  # fmt: skip


def make_any(m: Maker) -> Ask:
    """Make one call of any kind, by weight."""
    (make,) = m.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    return make(m)
