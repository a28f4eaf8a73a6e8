"""What YAML can do beyond JSON is refused, each with its line; what is left are plain values."""

import pytest
import yaml

from agen_authz.config.reading.tree import Tree, find_parser, read_tree

# The one in C where PyYAML has it, and the one that is always there.
PARSERS = [find_parser(), yaml.SafeLoader]
both_parsers = pytest.mark.parametrize("parser", PARSERS, ids=["found", "plain"])


def problems_in(text: str, parser: object) -> list[tuple[int | None, str, str]]:
    return [(problem.line, problem.path, problem.message) for problem in read_tree(text, "f", parser).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [true, false, null, ~, '', yes, no, on, off, True, NULL]",
         [True, False, None, None, "", "yes", "no", "on", "off", "True", "NULL"]),
        ("a: [1, -1, 0, 1.5, -0.25]", [1, -1, 0, 1.5, -0.25]),
        ("a: [01, 0x1f, 0o7, 1_000, 1e3, .5, +1, .inf, '1', 12345678901234567890]",
         ["01", "0x1f", "0o7", "1_000", "1e3", ".5", "+1", ".inf", "1", "12345678901234567890"]),
        ("a: [2001-01-01, 1:30, =, 10.0.0.1]", ["2001-01-01", "1:30", "=", "10.0.0.1"]),
        ("a: {on: call, 'true': x, \"1\": y}", {"on": "call", "true": "x", "1": "y"}),
        ("a:\n", None),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("\ufeffa: 1", 1),
    ],
    ids=["words", "numbers", "not numbers", "not dates", "keys", "nothing", "block", "byte order mark"],
)  # fmt: skip
@both_parsers
def test_values_are_those_of_json(parser, text, value):
    tree = read_tree(text, "f", parser)
    assert (tree.value, tree.problems, tree.is_readable) == ({"a": value}, [], True)


@both_parsers
def test_every_key_and_item_has_its_line(parser):
    tree = read_tree("a:\n  - b: 1\n    c:\n      - d\n  - e\nf: {g: 1,\n  h: 2}\n", "f", parser)
    assert tree.lines == {
        (): 1, ("a",): 1, ("a", 0): 2, ("a", 0, "b"): 2, ("a", 0, "c"): 3, ("a", 0, "c", 0): 4, ("a", 1): 5,
        ("f",): 6, ("f", "g"): 6, ("f", "h"): 7,
    }  # fmt: skip
    assert (tree.line_of(("a", 0, "c", 5, "x")), tree.line_of(("z",)), Tree().line_of(("z",))) == (3, 1, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: {c: 1, c: 2}\na: 2", [(2, "b.c", "the key appears twice"), (3, "a", "the key appears twice")]),
        ("a: 1\n'a': [{x: [1]}]\nb: 2", [(2, "a", "the key appears twice")]),
        ("a: &x 1\nb: 2", [(1, "a", "anchors are not read")]),
        ("a: 1\nb: *x", [(2, "b", "aliases are not read")]),
        ("a: &x {b: *x}", [(1, "a", "anchors are not read"), (1, "a.b", "aliases are not read")]),
        ("a: !!str 5", [(1, "a", "tags are not read")]),
        ("a: !x {b: 1}", [(1, "a", "tags are not read")]),
        ("a: !!set [b]", [(1, "a", "tags are not read")]),
        ("a: {<<: {b: 1}}", [(1, "a", "a key is not a plain word")]),
        ("1: a", [(1, "", "a key is not a plain word")]),
        ("true: a", [(1, "", "a key is not a plain word")]),
        ("? [a, {b: c}]\n: 1\nd: 2", [(1, "", "a key is not a plain word")]),
        ("? *x\n: 1", [(1, "", "a key is not a plain word")]),
        ("? !!str a\n: 1", [(1, "", "a key is not a plain word")]),
        ('"": 1', [(1, "", "a key is not a plain word")]),
        ('"a\\nb": 1', [(1, "", "a key is not a plain word")]),
        (f"{'k' * 300}: 1", [(1, "", "a key is not a plain word")]),
        ("a: 1\n---\nb: 2", [(2, "", "a second document starts here")]),
        ("a: " + "[" * 40 + "]" * 40, [(1, "", "nested too deeply")]),
        ("- " * 100_000, [(1, "", "nested too deeply")]),
        ("{a: " * 5000, [(1, "", "nested too deeply")]),
        ("{" * 100_000, [(1, "", "a key is not a plain word"), (1, "", "nested too deeply")]),
        ("", [(None, "", "the file is empty")]),
        ("# nothing\n", [(None, "", "the file is empty")]),
        ("null\n", [(None, "", "the file is empty")]),
        ("a: 1\n\x01", [(None, "", "not valid YAML")]),
    ],
    ids=[
        "twice", "twice with a subtree", "anchor", "alias", "alias of itself", "tag of text", "tag of a mapping",
        "tag of a list", "merge", "number as key", "boolean as key", "list as key", "alias as key", "tagged key",
        "no key", "key of two lines", "long key", "two documents", "deep lists", "deep block", "deep mappings",
        "deep keys",
        "empty", "comment", "null", "control character",
    ],
)  # fmt: skip
@both_parsers
def test_what_json_does_not_have_is_refused(parser, text, expected):
    assert problems_in(text, parser) == expected


@pytest.mark.parametrize(
    "text",
    ["password: 'hunter2-canary\n", "a: [hunter2-canary\nb: 1", "a: hunter2-canary: x", "\thunter2-canary: 1",
     "a: %hunter2-canary\n@hunter2-canary", '"hunter2-canary\\q": 1'],
)  # fmt: skip
@both_parsers
def test_what_is_not_yaml_is_named_with_its_line_and_not_quoted(parser, text):
    (problem,) = read_tree(text, "f", parser).problems
    assert problem.line is not None
    assert problem.message.startswith("not valid YAML: ")
    assert "canary" not in str(problem)


@both_parsers
def test_half_a_character_is_refused(parser):
    tree = read_tree('a: "x\\ud800"', "f", parser)
    assert tree.problems and (tree.broken == {("a",)} or not tree.is_readable)
