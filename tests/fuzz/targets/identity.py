"""Claims to `agen-*` headers: any caller arrives at the backend as the one whom the token is about."""

from collections.abc import Callable

from http_sfv.item import Item
from http_sfv.list import List
from http_sfv.types import DisplayString

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Malformed, Rejected
from agen_authz.core.identity.jws import UnverifiedToken
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.identity.token import read_principal
from agen_authz.core.model import Principal
from agen_authz.core.strict_json import parse_json
from agen_authz.wire.identity import render_principal
from tests import builders as build
from tests.fuzz.targets.target import Target, expect


def check(raw: bytes, render: Callable[[Principal], RenderedPrincipal] = render_principal) -> None:
    """Read claims, render their headers, and read those with a parser of Structured Fields."""
    claims = parse_json(raw, 8)
    if isinstance(claims, Malformed) or not isinstance(claims, dict):
        return
    token = UnverifiedToken("k", "EdDSA", "at+jwt", "", b"", b"")
    verified = read_principal(build.claims() | claims, token, build.provider())
    if isinstance(verified, Rejected):
        return
    principal, caller = verified.principal, render(verified.principal)
    options = pb.OkHttpResponse.FromString(caller.headers).headers
    expect(all(option.HasField("append") and not option.append.value for option in options), "copies are overwritten")
    headers = {option.header.key: option.header.value for option in options}
    text = "".join(headers.values())
    expect(len(headers) == len(options) and text.isascii() and text.isprintable(), "one line of ASCII each")
    expect(caller.lines == "".join(f'"{name}": {value}\n' for name, value in headers.items()), "signed as sent")
    read = (*(_item(headers[f"agen-{name}"]) for name in ("issuer", "subject", "tenant", "client")),)
    told = (principal.issuer, principal.subject, principal.tenant, principal.client)
    expect(read == told, "strings arrive as they are")
    lists = (_items(headers["agen-roles"]), _items(headers["agen-permissions"]))
    expect(lists == (principal.roles, principal.permissions), "lists arrive as they are")


def _item(raw: str) -> str:
    parsed = Item()
    parsed.parse(raw.encode("ascii"))
    return _plain(parsed.value)


def _items(raw: str) -> tuple[str, ...]:
    if not raw:
        return ()
    parsed = List()
    parsed.parse(raw.encode("ascii"))
    return tuple(_plain(each.value) for each in parsed)


def _plain(value: object) -> str:
    expect(isinstance(value, str | DisplayString), "a string, and no token or number")
    return str(value)


TARGET = Target("identity", check, "identity", max_bytes=2048)
