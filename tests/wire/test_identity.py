"""What an event says of a caller is bounded, whatever their token holds."""

import orjson

from agen_authz.core.model import Subject
from agen_authz.wire.identity import MAX_CALLER_EVENT_BYTES, render_principal
from tests import builders as build


def test_caller_with_everything_as_long_as_can_be_is_cut_tightly():
    long = "r\u00f6le-" + "x" * 500
    roles = tuple(f"{long}{number}" for number in range(40))
    rendered = render_principal(build.principal(subject=Subject(long), roles=roles, groups=roles, permissions=roles))
    event = orjson.loads(orjson.dumps(rendered.event))
    assert rendered.event_bytes <= MAX_CALLER_EVENT_BYTES
    assert len(event["roles"]) == 4
