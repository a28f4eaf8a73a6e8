from collections.abc import Callable
from typing import Any

import pytest

from agen_authz.core.identity.claim import ClaimReader, Path
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
    "through null": ((("n", "b"),), ""),
    "through what is absent": ((("z", "b"),), ""),
    "through null, then there": ((("n", "b"), ("s",)), "text"),
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


WRONG_PARENTS: dict[str, tuple[Json, str]] = {
    "a string": ("x", "a string"),
    "an empty string": ("", "a string"),
    "a list": ([{"b": "x"}], "a list"),
    "a number": (1, "a number"),
    "zero": (0, "a number"),
    "false": (False, "true or false"),
}
READS: dict[str, Callable[[ClaimReader, tuple[Path, ...]], object]] = {
    "text": ClaimReader.text,
    "required text": ClaimReader.required_text,
    "texts": ClaimReader.texts,
    "names": ClaimReader.names,
    "keys": lambda reader, paths: reader.names(paths, has_keys=True),
    "words": ClaimReader.words,
    "flag": ClaimReader.flag,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize(("parent", "kind"), WRONG_PARENTS.values(), ids=WRONG_PARENTS)
def test_claim_inside_one_that_is_no_object_is_a_mistake_and_not_absent(parent, kind, read):
    reader, paths = ClaimReader({"a": {"b": parent}, "z": "other"}), (("a", "b", "c"), ("z",))
    read(reader, paths)
    assert reader.mistake == f"claim `a.b` is {kind}; wanted an object"
    assert ClaimReader({"a": parent}).if_readable(lambda each: read(each, (("a", "b"),))) is None


def test_path_with_an_url_in_it_is_one_step():
    assert ClaimReader(NESTED).texts((("https://example.com/roles",),)) == ("r",)


def test_first_mistake_is_remembered():
    reader = ClaimReader({"a": {"b": 1}, "c": 2})
    reader.text((("a", "b"),))
    reader.texts((("c",),))
    assert reader.mistake == "claim `a.b` is a number; wanted a string without control characters"


def test_claim_that_must_be_there_is_a_mistake_when_it_is_not():
    reader = ClaimReader({})
    assert (reader.required_text((("sub",),)), reader.mistake) == (
        "",
        "claim `sub` is missing; wanted a string without control characters",
    )


NAMES: dict[str, tuple[Any, bool, tuple[str, ...], str]] = {
    "list": (["a", "b"], False, ("a", "b"), ""),
    "one text": ("a b", False, ("a b",), ""),
    "empty text": ("", False, (), ""),
    "null": (None, False, (), ""),
    "number": (1, False, (), "claim `r` is a number; wanted a list of strings or one string"),
    "list too long": (
        ["a"] * 1001, False, (), "claim `r` is a list of more than 1000; wanted a list of strings or one string",
    ),
    "text with a control": (
        "a\nb", False, ("",),
        "claim `r` is a string that is empty, longer than 2048 characters or has control characters; "
        "wanted a string without control characters",
    ),
    "object": ({"a": 1}, False, (), "claim `r` is an object; wanted a list of strings or one string"),
    "keys": ({"a": {"org": "x"}, "b": True, "c": 0, "d": ""}, True, ("a", "b", "c", "d"), ""),
    "keys that are not held": ({"a": False, "b": None, "c": 1}, True, ("c",), ""),
    "keys of none": ({}, True, (), ""),
    "keys of a list": (["a"], True, (), "claim `r` is a list; wanted an object whose keys are read (`keys: true`)"),
    "keys of a text": ("a", True, (), "claim `r` is a string; wanted an object whose keys are read (`keys: true`)"),
    "keys too many": (
        dict.fromkeys(map(str, range(1001)), 1), True, (),
        "claim `r` is an object of more than 1000 keys; wanted an object whose keys are read (`keys: true`)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_a_list_one_text_or_the_keys_of_an_object(name):
    value, has_keys, names, mistake = NAMES[name]
    reader = ClaimReader({"r": value})
    assert (reader.names((("r",),), has_keys=has_keys), reader.mistake) == (names, mistake)


@pytest.mark.parametrize(("value", "read"), [("x", "x"), (1, None), (None, "")], ids=["text", "number", "null"])
def test_claim_that_decides_nothing_is_unreadable_and_no_mistake(value, read):
    reader = ClaimReader({"email": value})
    assert (reader.if_readable(lambda each: each.text((("email",),))), reader.mistake) == (read, "")


ELSEWHERE: dict[str, tuple[dict[str, Json], tuple[str, ...] | None]] = {
    "distributed claim": ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}, None),
    "named in a list": ({"_claim_names": ["groups"]}, None),
    "Entra's mark": ({"hasgroups": True}, None),
    "Entra's mark as a text": ({"hasgroups": "true"}, None),
    "another claim takes no place": ({"_claim_names": {"groups": "src1"}, "wids": ["w"]}, None),
    "no mark": ({"hasgroups": False, "_claim_names": None}, ()),
    "another claim is elsewhere": ({"_claim_names": {"address": "src1"}}, ()),
    "there all the same": ({"_claim_names": {"groups": "src1"}, "groups": ["g"]}, ("g",)),
    "names of no kind": ({"_claim_names": 1, "wids": ["w"]}, ("w",)),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_claim_that_is_kept_elsewhere_is_unreadable_and_not_empty(name):
    claims, groups = ELSEWHERE[name]
    assert ClaimReader(claims).if_readable(lambda each: each.names((("groups",), ("wids",)))) == groups


def test_claim_that_access_is_decided_on_and_is_kept_elsewhere_is_a_mistake():
    reader = ClaimReader({"_claim_names": {"groups": "src1"}})
    assert (reader.names((("groups", "all"),)), reader.mistake) == (
        (), "claim `groups.all` is not in the token, which says it is elsewhere",
    )  # fmt: skip


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


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        (None, "missing"),
        (True, "true or false"),
        ("1", "a string"),
        (-1, "a number that is not a time"),
        ([], "a list"),
    ],
    ids=["null", "boolean", "string", "negative", "list"],
)
def test_time_that_is_none_is_named(value, mistake):
    reader = ClaimReader({"exp": value})
    reader.required_seconds("exp")
    assert reader.mistake == f"claim `exp` is {mistake}; wanted a number of seconds since 1970"


def test_time_that_is_null_is_absent():
    reader = ClaimReader({"nbf": None})
    assert (reader.seconds("nbf"), reader.mistake) == (None, "")
