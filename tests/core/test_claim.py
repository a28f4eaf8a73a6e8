import pytest

from agen_authz.core.claim import ClaimReader
from agen_authz.core.model import Json
from tests import builders as build

NESTED: dict[str, Json] = {
    "a": {"b": {"c": "x"}},
    "https://example.com/roles": ["r"],
    "n": None,
    "s": "text",
    "l": ["l"],
}
TEXTS = {
    "nested": ((("a", "b", "c"),), "x"),
    "through a string": ((("s", "b"),), ""),
    "through a list": ((("l", "0"),), ""),
    "absent": ((("z",),), ""),
    "null, then there": ((("n",), ("s",)), "text"),
    "first that is there": ((("s",), ("a", "b", "c")), "text"),
    "not mapped": ((), ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_found_by_its_path(name):
    candidates, expected = TEXTS[name]
    reader = ClaimReader(NESTED)
    assert (reader.text(candidates), reader.mistake) == (expected, "")


def test_path_with_an_url_in_it_is_one_step():
    assert ClaimReader(NESTED).texts((("https://example.com/roles",),)) == ("r",)


def test_first_mistake_is_remembered():
    reader = ClaimReader({"a": {"b": 1}, "c": 2})
    reader.text((("a", "b"),))
    reader.texts((("c",),))
    assert reader.mistake == "claim `a.b` is not a string without control characters"


def test_claim_that_must_be_there_is_a_mistake_when_it_is_not():
    reader = ClaimReader({})
    assert (reader.required_text((("sub",),)), reader.mistake) == (
        "",
        "claim `sub` is not a string without control characters",
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [("a b", ("a", "b")), ("  a  ", ("a",)), ("", ()), (["a b"], ("a b",)), (None, ()), ("a\u00a0b", ("a\u00a0b",))],
    ids=["words", "spaces", "empty", "list", "null", "no-break space"],
)
def test_scopes_are_words_or_a_list(value, words):
    assert ClaimReader({"scope": value}).words(build.CLAIM_PATHS.scopes) == words


@pytest.mark.parametrize(
    ("claims", "flag", "is_mistake"),
    [({}, False, False), ({"email_verified": True}, True, False), ({"email_verified": "true"}, False, True),
     ({"email_verified": 1}, False, True)],
    ids=["absent", "true", "string", "number"],
)  # fmt: skip
def test_flag_is_a_boolean(claims, flag, is_mistake):
    reader = ClaimReader(claims)
    assert (reader.flag(build.CLAIM_PATHS.email_verified), bool(reader.mistake)) == (flag, is_mistake)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 0.0), (1.5, 1.5), (253_402_300_799, 253_402_300_799.0)],
    ids=["zero", "fraction", "year 9999"],
)
def test_time_is_a_number(value, seconds):
    assert ClaimReader({"exp": value}).required_seconds("exp") == seconds


@pytest.mark.parametrize(
    ("claims", "audiences"),
    [({}, set()), ({"aud": None}, set()), ({"aud": "a"}, {"a"}), ({"aud": ["a", "b", "a"]}, {"a", "b"})],
    ids=["absent", "null", "string", "list"],
)
def test_audience_is_a_string_or_a_list(claims, audiences):
    assert ClaimReader(claims).audiences() == audiences
