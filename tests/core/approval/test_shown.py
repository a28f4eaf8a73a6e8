"""What approvers see of a call's parameters: personal, card and secret values masked, unless the flow shows them."""

import json
from typing import Any

import pytest

from agen_authz.core.approval.shown import read_parameters, show_parameters
from agen_authz.core.errors import Malformed
from agen_authz.core.masking.row import Style

EMAIL, CARD = "cy@example.com", "4111 1111 1111 1111"
PARAMS: Any = {"name": "refund", "arguments": {"amount": 120.5, "to": {"a/b~c": EMAIL}, "card": CARD}}


def shown(params: Any = PARAMS, *pointers: str, **more: Any) -> str:
    found = show_parameters(params, pointers, **more)
    assert found is not None
    return json.dumps(found.params)


def test_values_of_presets_are_masked_and_the_rest_is_shown():
    text = shown()
    assert EMAIL not in text and CARD not in text
    assert '"amount": 120.5' in text and '"name": "refund"' in text


def test_receipts_say_what_was_masked_and_where():
    found = show_parameters(PARAMS)
    assert found is not None
    assert {(each.detector, each.pointer) for each in found.receipts} == {
        ("email", "/arguments/to/a~1b~0c"),
        ("credit_card", "/arguments/card"),
    }


def test_values_that_the_flow_shows_stay_as_they_are():
    text = shown(PARAMS, "/to/a~1b~0c")
    assert EMAIL in text and CARD not in text


def test_pointer_is_into_the_arguments_and_into_nothing_else():
    assert EMAIL not in shown({"name": EMAIL, "arguments": {}}, "/name")


def test_style_replaces_that_of_each_detector():
    assert CARD[-4:] not in shown(style=Style.REDACT)


def test_parameters_that_cannot_be_inspected_to_their_end_are_not_shown():
    # A document in a text, nested deeper than any parser of ours goes.
    document = '{"a":' * 300 + "1" + "}" * 300
    assert show_parameters({"arguments": {"document": document}}) is None


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_parameters_that_are_not_json_cannot_be_read(raw):
    assert isinstance(read_parameters(raw), Malformed)


def test_kept_parameters_are_read_as_they_were():
    assert read_parameters(json.dumps(PARAMS).encode()) == PARAMS
