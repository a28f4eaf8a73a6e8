"""What Check tells Process: it arrives whole, and nobody else can read, change or make it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.model import NOWHERE, Context, Envelope, Era, Inspection, Shape
from agen_authz.wire.sealed import open_inspection, seal_inspection
from tests import builders as build

KEY, NONCE = b"k" * 32, b"n" * 12
PRINCIPALS = (
    build.principal(),
    build.principal(groups=None, amr=None, auth_time=None, issued_at=None, email_verified=None, claims=None),
    build.principal(roles=("ä", "b"), claims={"a": [1, 2.5, None, {"b": "\x00"}], "n": 2**53}),
)


def inspection(**changes: Any) -> Inspection:
    values: dict[str, Any] = {
        "version": "v1", "request_id": "r", "server": "crm", "envelope": Envelope(Era.MODERN, Shape.REQUEST, 7),
        "mcp_version": "x",
        "method": "tools/list", "target": build.tool(), "principal": build.principal(), "context": NOWHERE, "host": "h",
    }  # fmt: skip
    return Inspection(**(values | changes))


@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"target": None, "envelope": Envelope(Era.LEGACY, Shape.STREAM, None), "declares_url": True},
        {"protections": ("eu customers", "cards")},
        {"is_sampled": True},
        {"envelope": Envelope(id="7"), "context": Context("192.0.2.1", ("office",), "DE", "ä/1")},
    ],
)
def test_inspection_arrives_as_it_was_sealed(principal, changes):
    told = inspection(principal=principal, **changes)
    assert open_inspection(seal_inspection(told, KEY, NONCE), KEY) == told


def test_sealed_text_shows_nothing_and_differs_each_time():
    sealed = seal_inspection(inspection(), KEY, NONCE)
    assert b"ann" not in urlsafe_b64decode(sealed)
    assert sealed != seal_inspection(inspection(), KEY, b"m" * 12)


def test_every_changed_bit_is_found():
    raw = urlsafe_b64decode(seal_inspection(inspection(), KEY, NONCE))
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        assert open_inspection(urlsafe_b64encode(bytes(changed)).decode(), KEY) is None


def test_another_key_opens_nothing():
    assert open_inspection(seal_inspection(inspection(), KEY, NONCE), b"o" * 32) is None


@given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_any_text_opens_to_nothing(text):
    assert open_inspection(text, KEY) is None
