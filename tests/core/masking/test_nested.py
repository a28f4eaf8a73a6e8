"""JSON in a text is read with each of its members, wherever in the text it is."""

from typing import Any

import pytest

from agen_authz.core.masking.nested import split_nested
from agen_authz.core.masking.node import join_nested
from agen_authz.core.masking.rule import Unmaskable


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"a":1}', [{"a": 1}]),
        (' [1,"x"]\n', [" ", [1, "x"], "\n"]),
        ('x {"a":{"b":2}} y', ["x ", {"a": {"b": 2}}, " y"]),
        ('{"a":1}\n{"b":2}', [{"a": 1}, "\n", {"b": 2}]),
        ('{ x {"a":1}', ["{ x ", {"a": 1}]),
        ('{"x" {"a":1}', ['{"x" ', {"a": 1}]),
        ('{"x":tru {"a":1} and so on, for a while longer', ['{"x":tru ', {"a": 1}, " and so on, for a while longer"]),
        ('{"a":1,"a":2,"a":3}', [{"a": 1, "a 2": 2, "a 3": 3}]),
        ('{"a":1,"a 2":2,"a":3}', [{"a": 1, "a 2": 2, "a 2_": 3}]),
        ('{"__proto__":1}', [{"__proto__": 1}]),
        ('x {"a":"\\u0041"}', ["x ", {"a": "A"}]),
        ('{"a":' + "1" * 30 + "}", [{"a": "1" * 30}]),
        ('log {"a":"' + "x" * 9000 + '"}', ["log ", {"a": "x" * 9000}]),
    ],
    ids=[
        *("object", "array with spaces", "text around", "one on each line", "brace before", "none before"),
        *("broken before", "names twice", "names twice and taken", "prototype", "escape", "long number"),
        "longer than a window",
    ],
)
def test_documents_are_split_from_the_text_around_them(text: str, parts: list[Any]) -> None:
    assert split_nested(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        '"a"',
        "{bad}",
        "[1,2",
        'plain "x" [1]',
        '{"a":"\\ud83d"}',
        'x {"a":"\\ud83d"}',
        '{"a":1,"a":"\\ud83d"}',
        'x { "a" : tru',
        'x {"a":"' + "y" * 1000,
        '{"a"' * 1000,
        "[" * 100_000 + "]" * 99_999,
        'x {"a":' + "[" * 100_000,
        '{"a":1,"a":' + "[" * 127 + "NaN",
        '{"a":1e5,,}',
        f'{{"a":{"[" * 140}{"]" * 140},}}',
        f'{{"a":{"[" * 99_999}{"]" * 99_999}}}',
    ],
    ids=[
        *("empty", "plain", "text", "no JSON", "cut array", "array with text around", "half a surrogate"),
        *("half a surrogate, text around", "half a surrogate, twice", "cut word", "cut text", "many beginnings"),
        *("deep, and no JSON", "deep, and cut", "cut, twice", "comma", "comma, deep", "deeper than any reader"),
    ],
)
def test_text_without_a_document_is_left_as_it_is(text: str) -> None:
    assert split_nested(text) is None


@pytest.mark.parametrize("around", ["", "x "], ids=["alone", "text around"])
def test_document_that_is_nested_too_deeply_is_refused(around: str) -> None:
    with pytest.raises(Unmaskable, match="nested too deeply"):
        split_nested(f'{around}{{"a":{"[" * 140}{"]" * 140}}}')


def test_many_brackets_side_by_side_are_not_deep():
    parts = split_nested("x " + '{"a":[' + "[]," * 200 + "[]]}")
    assert parts == ["x ", {"a": [[]] * 201}]


def test_parts_are_written_as_one_text():
    assert join_nested(["x ", {"a": "\xe4"}, " y", [1]]) == 'x {"a":"\xe4"} y[1]'
