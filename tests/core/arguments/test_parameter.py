"""Headers that repeat arguments, where the schema alone does not settle it."""

from typing import Any

import pytest

from agen_authz.core.arguments.parameter import Parameter, find_lie
from agen_authz.core.model import Mirrored

REGION = (Parameter("mcp-param-region", ("where", "region")),)
CASES: dict[str, tuple[dict[str, Any], dict[str, str], bool]] = {
    "null wants no header": ({"where": {"region": None}}, {}, True),
    "null has no header": ({"where": {"region": None}}, {"mcp-param-region": "null"}, False),
    "no object on the way": ({"where": ["eu"]}, {}, True),
    "object has no header": ({"where": {"region": {}}}, {"mcp-param-region": "{}"}, False),
    "half of a base64 character": ({"where": {"region": "a"}}, {"mcp-param-region": "=?base64?YR==?="}, False),
}


@pytest.mark.parametrize("name", CASES)
def test_header_is_there_if_and_only_if_its_argument_has_a_value(name):
    arguments, headers, is_true = CASES[name]
    lie = find_lie(REGION, arguments, Mirrored(headers, arguments), is_modern=True)
    assert lie == (None if is_true else "mcp-param-region")
