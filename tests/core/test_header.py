import pytest

from agen_authz.core.header import HeaderNames, is_field_name, is_forwarded, list_forwarded, look_at, may_change_call

LOOKS = {
    "plain": (("accept", "origin", "x"), HeaderNames(("accept", "origin", "x"), ("origin",), True, False, False)),
    "upper case": (("Origin",), HeaderNames(("Origin",), (), False, False, False)),
    "underscore": (("a_b",), HeaderNames(("a_b",), (), True, True, False)),
    "no name": (("a", ""), HeaderNames(("a", ""), (), True, False, True)),
    "nothing": ((), HeaderNames((), (), True, False, False)),
    "line end in a name": (("origin\nx",), HeaderNames(("origin\nx",), (), True, False, False)),
    "more than is remembered": (("a" * 3000,), HeaderNames(("a" * 3000,), (), True, False, False)),
}


@pytest.mark.parametrize("name", LOOKS)
def test_names_are_looked_at(name):
    names, expected = LOOKS[name]
    assert (look_at(names), look_at(names)) == (expected, expected)


FORWARDED = list_forwarded(("x-team",))


@pytest.mark.parametrize(
    ("name", "forwarded", "in_eras"),
    [
        pytest.param("accept", FORWARDED, ("legacy", "modern", "stream"), id="what every backend gets"),
        pytest.param("x-team", FORWARDED, ("legacy", "modern", "stream"), id="what the resource adds"),
        pytest.param("x-other", FORWARDED, (), id="anything else"),
        pytest.param("mcp-session-id", FORWARDED, ("legacy", "stream"), id="session"),
        pytest.param("mcp-name", FORWARDED, ("legacy", "modern"), id="repeats the message"),
        pytest.param("mcp-param-region", FORWARDED, ("legacy", "modern"), id="repeats an argument"),
        pytest.param("authorization", FORWARDED, (), id="token"),
        pytest.param("last-event-id", FORWARDED, (), id="place in a stream"),
        pytest.param("authorization", list_forwarded((), has_token=True), ("legacy", "modern", "stream"), id="allowed"),
        pytest.param("last-event-id", list_forwarded((), is_resumable=True), ("legacy", "modern", "stream"), id="too"),
    ],
)
def test_header_is_forwarded(name, forwarded, in_eras):
    requests = {"legacy": (False, True), "modern": (True, True), "stream": (False, False)}
    found = tuple(
        era
        for era, (is_modern, has_message) in requests.items()
        if is_forwarded(name, forwarded, is_modern=is_modern, has_message=has_message)
    )
    assert found == in_eras


@pytest.mark.parametrize(
    ("name", "is_name"),
    [("x-team", True), ("x~1", True), ("a" * 300, True), ("", False), ("X-Team", False), ("x_team", False)]
    + [(f"x{wrong}", False) for wrong in (" ", ":", "\n", "\u212a", '"')],
    ids=ascii,
)
def test_name_of_a_header_is_in_lower_case_and_without_underscores(name, is_name):
    assert is_field_name(name) is is_name


@pytest.mark.parametrize(
    ("name", "may_change"),
    [("x-account", True), ("mcp-param-x", True), ("mcp-protocol-version", True), ("traceparent", False), ("x", False)],
)
def test_header_may_change_what_a_call_does(name, may_change):
    assert may_change_call(name, frozenset({"x-account", "traceparent"})) is may_change
