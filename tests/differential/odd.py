"""Odd JSON: whole MCP messages, mostly valid, each written in a way that some parser might read differently."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from agen_authz.core.message.mcp import VERSION_KEY
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from tests import builders as build
from tests.differential.spelling import KEYS, NUMBERS, SINGLE_QUOTED, SPACE, STRINGS, joined, mostly, written


@dataclass(frozen=True, slots=True)
class Posted:
    """One body and the headers it is posted with."""

    headers: dict[str, str]
    body: bytes


# ---- values ----------------------------------------------------------------------------------------------

_WORDS = st.sampled_from([b"true", b"false", b"null", b"{}", b"[]"])
_NO_WORDS = st.sampled_from([b"True", b"nul", b"undefined", b"None", b"", b"true1"])


def _comma_joined(items: list[bytes]) -> bytes:
    return b",".join(items)


_COMMA = mostly(st.just(b""), st.sampled_from([b",", b",,", b"//\n", b'"a":1']), 60)
_SCALARS = mostly(NUMBERS | STRINGS | _WORDS, _NO_WORDS | SINGLE_QUOTED, 30)


def _members(keys: Any, values: Any, most: int) -> st.SearchStrategy[bytes]:
    member = joined(SPACE, keys, SPACE, b":", SPACE, values, SPACE)
    return joined(b"{", st.lists(member, max_size=most).map(_comma_joined), _COMMA, b"}")


VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        joined(b"[", st.lists(inner, max_size=3).map(_comma_joined), _COMMA, b"]"), _members(KEYS, inner, 3)
    ),
    max_leaves=6,
)
_DEEP = st.builds(
    lambda opens, closes, depth: opens * depth + b"0" + closes * depth,
    *(st.just(b"["), st.just(b"]"), st.sampled_from([1, 30, 60, 61, 62, 63, 64, 200, 9000])),
)
# Objects of which every parser takes most, so that what is compared is not only what is refused.
_SOUND = st.recursive(
    st.integers(-(2**63), 2**64 - 1).map(lambda number: b"%d" % number)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: repr(number).encode())
    | st.text(max_size=4).flatmap(written)
    | st.sampled_from([b"1E5", b"-0.0", b"0e-9", b"1.10", b"5e-324", b"9007199254740993", b"1e-400", b"true", b"null"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: b"[" + _comma_joined(items) + b"]")
        | st.lists(inner, max_size=3).map(
            lambda items: b"{" + b",".join(b'"k%d": %s' % pair for pair in enumerate(items)) + b"}"
        )
    ),
    max_leaves=6,
)
_SOUND_ARGUMENTS = st.lists(_SOUND, max_size=4).map(
    lambda items: b"{" + b",".join(b'"k%d":%s' % pair for pair in enumerate(items)) + b"}"
)
ARGUMENTS = mostly(_SOUND_ARGUMENTS | _members(KEYS, mostly(VALUES, _DEEP, 15), 4), VALUES, 20)

# ---- messages --------------------------------------------------------------------------------------------

_METHODS: dict[str, tuple[str, str]] = {
    "tools/call": ("name", "get_customer"),
    "prompts/get": ("name", "Grüße für K\U0001f600"),
    "resources/read": ("uri", "customer://1/a?b=c"),
    "resources/subscribe": ("uri", "customer://2"),
    "completion/complete": ("ref", "summarize"),
    "subscriptions/listen": ("notifications", "customer://3"),
    "tools/list": ("cursor", "x"),
    "notifications/cancelled": ("requestId", "7"),
}
_TWINS = [
    "Method",
    "METHOD",
    "method\u0000",
    "ｍethod",
    "metho\u0064",
    " method",
    "Params",
    "params",
    "id",
    "ID",
    "İd",
    "__proto__",
    "constructor",
    "result",
    "x",
    "jsonrpc",
    "JSONRPC",
    "jſonrpc",
]
_INNER_TWINS = [
    "Name",
    "name",
    "NAME",
    "name\u0000",
    "na_me",
    "nam\u0435",
    "uri",
    "URI",
    "Uri",
    "arguments",
    "Arguments",
    "ARGUMENTS",
    "argumentſ",
    "_meta",
    "_Meta",
    "__proto__",
    "constructor",
    "x",
    "task",
    "ref",
    "Ref",
    "toolName",
    "notifications",
    "Notifications",
]
_SMUGGLED = st.sampled_from(
    [
        b'"delete_customer"',
        b'"tools/call"',
        b'"vault://1"',
        b'{"admin":true}',
        b'{"name":"delete_customer"}',
        b"null",
        b'{"arguments":{"admin":true}}',
        b'{"method":"tools/call"}',
        b'{"resourceSubscriptions":["vault://1"]}',
        b"1",
        b"{}",
    ]
)


def _extras(keys: list[str]) -> st.SearchStrategy[list[bytes]]:
    member = joined(st.sampled_from(keys).flatmap(written), b":", _SMUGGLED)
    listed = st.lists(member, min_size=1, max_size=2)
    return st.integers(1, 6).flatmap(lambda drawn: listed if drawn == 4 else st.just([]))


@st.composite
def _object(draw: st.DrawFn, members: dict[str, bytes], twins: list[str]) -> bytes:
    parts = [draw(written(key)) + draw(SPACE) + b":" + draw(SPACE) + value for key, value in members.items()]
    return b"{" + draw(SPACE) + b",".join(draw(st.permutations([*parts, *draw(_extras(twins))]))) + draw(_COMMA) + b"}"


def _named(method: str, spelt: bytes) -> dict[str, bytes]:
    key = _METHODS[method][0]
    if key == "ref":
        return {"ref": b'{"type":"ref/prompt","name":' + spelt + b"}", "argument": b'{"name":"a","value":"b"}'}
    if key == "notifications":
        return {"notifications": b'{"resourceSubscriptions":[' + spelt + b"]}"}
    return {key: spelt}


def _headers(method: str, name: str, *, is_modern: bool) -> dict[str, str]:
    headers = {"content-type": "application/json", "mcp-protocol-version": build.MODERN if is_modern else build.LEGACY}
    if is_modern:
        headers["mcp-method"] = method
        if _METHODS[method][0] in ("name", "uri"):
            headers["mcp-name"] = name if name.isascii() else f"=?base64?{b64encode(name.encode()).decode()}?="
    return headers


def _plain_ids(method: str) -> st.SearchStrategy[bytes]:
    if method.startswith("notifications/"):
        return st.just(b"")
    return mostly(
        st.sampled_from([b"7", b'"7"', b"-0", b"9007199254740993", b'"\\u0037"']), NUMBERS | STRINGS | VALUES, 8
    )


@st.composite
def messages(draw: st.DrawFn) -> Posted:
    """Write one message of either era."""
    method, is_modern = draw(st.just("tools/call") | st.sampled_from(list(_METHODS))), draw(st.booleans())
    name = _METHODS[method][1]
    params = _named(method, draw(written(name)))
    if is_modern and not method.startswith("notifications/"):
        params["_meta"] = b'{"%s":"%s","%s":{}}' % (
            VERSION_KEY.encode(),
            build.MODERN.encode(),
            CAPABILITIES_KEY.encode(),
        )
    if draw(st.booleans()):
        params["arguments"] = draw(ARGUMENTS)
    members = {
        "jsonrpc": draw(written("2.0")),
        "method": draw(written(method)),
        "params": draw(_object(params, _INNER_TWINS)),
    }
    message_id = draw(_plain_ids(method))
    if message_id:
        members["id"] = message_id
    return Posted(_headers(method, name, is_modern=is_modern), draw(_object(members, _TWINS)))


_WHOLE = st.sampled_from(
    [
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body + b"\x00",
        lambda body: body + b"{}",
        lambda body: body + b" x",
        lambda body: body.decode("utf-8", "replace").encode("utf-16"),
        lambda body: body[:-1],
        lambda body: b"[" + body + b"]",
        lambda body: body.decode("utf-8", "replace").encode("utf-16-le"),
        lambda body: b"\x00" + body,
        lambda body: body.decode("utf-8", "replace").encode("utf-32"),
        lambda body: body + b"\n",
        lambda body: body * 2,
        lambda body: b" \n" + body + b"\r\n\t",
        lambda body: body + b",",
        lambda body: b"//\n" + body,
        lambda body: body + b"/**/",
        lambda body: body.replace(b'"', b"'"),
        lambda body: b"\x1e" + body + b"\n",
        lambda body: b")]}',\n" + body,
    ]
)


@st.composite
def posted(draw: st.DrawFn) -> Posted:
    """Write one message, and sometimes spoil it as a whole."""
    sound = draw(messages())
    return sound if draw(st.integers(1, 8)) != 5 else Posted(sound.headers, draw(_WHOLE)(sound.body))


POSTED = posted()
