"""Who called, as the gateway verified it: the `agen-*` headers (Structured Fields, RFC 9651) as typed values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from http_sfv.item import Item
from http_sfv.list import List
from http_sfv.types import DisplayString

from agen_authz.core.memory import remember
from agen_authz.core.signature import IDENTITY_HEADERS
from agen_authz.verify.refusal import Check, NotVerified

_STRING = re.compile(r'"([ !#-\[\]-~]*)"')
_DISPLAY_STRING = re.compile(r'%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"')
_Known = tuple[str, str, str, str, tuple[str, ...], tuple[str, ...], str]
_SIMPLE_LIST = re.compile(r'"[ !#-\[\]-~]*"(?:, "[ !#-\[\]-~]*")*')


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller whom the gateway verified and let through.

    Attributes:
        issuer: who vouches for the caller; `subject` means nothing without it.
        tenant: "" where the caller has none.
        client: the OAuth client that calls on the subject's behalf; "" where the token names none.
        roles: as the gateway's configuration read them from the token.
        resource: the name under which the gateway knows this backend.
        request_id: what the gateway's events of this request are found by.
    """

    issuer: str
    subject: str
    tenant: str
    client: str
    roles: tuple[str, ...] = field(default=())
    permissions: tuple[str, ...] = field(default=())
    resource: str = ""
    request_id: str = ""


def read_identity(headers: Mapping[str, str]) -> Identity:
    """Read the identity from headers that are known to be the gateway's.

    Raises:
        NotVerified: a header is not a Structured Field of its kind.
    """
    values = [headers[name] for name in IDENTITY_HEADERS]
    try:
        known, request_id = _read_known(*values[:-1]), _read_text(values[-1])
    except (ValueError, IndexError) as exc:
        raise NotVerified(Check.IDENTITY, "an `agen-*` header is not a Structured Field of its kind") from exc
    return Identity(*known, request_id)


# A caller comes again and again, with another request each time.
@remember(1024)
def _read_known(*values: str) -> _Known:
    issuer, subject, tenant, client = map(_read_text, values[:4])
    roles, permissions = map(_read_texts, values[4:6])
    return issuer, subject, tenant, client, roles, permissions, _read_text(values[6])


def _read_text(value: str) -> str:
    simple = _STRING.fullmatch(value)
    if simple is not None:
        return simple.group(1)
    display = _DISPLAY_STRING.fullmatch(value)
    if display is not None:
        return unquote(display.group(1), errors="strict")
    item = Item()
    item.parse(value.encode("ascii"))
    return _text_of(item)


def _read_texts(value: str) -> tuple[str, ...]:
    # A list of nothing is a header of zero length, which RFC 9651 section 4.1 leaves out.
    if value == "":
        return ()
    if _SIMPLE_LIST.fullmatch(value):
        return tuple(value[1:-1].split('", "'))
    members = List()
    members.parse(value.encode("ascii"))
    return tuple(map(_text_of, members))


def _text_of(item: object) -> str:
    if not isinstance(item, Item) or item.params or type(item.value) not in (str, DisplayString):
        raise ValueError("neither a String nor a Display String")
    return str(item.value)
