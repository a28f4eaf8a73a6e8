"""Members that a text shows: in quotes, as elements, and in tables below a line of names."""

import pytest

from agen_authz.core.masking.detect import find
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.written import list_written

TELLING = ("name", "ssn", "full name")


def tells(name: str) -> bool:
    return name.lower() in TELLING


def list_values(text: str) -> list[tuple[str, str]]:
    """List the names and values that a text shows."""
    return [(each.name, text[each.start : each.end]) for each in list_written(text, tells)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"name": "Ann", "x": "y", "ssn": 5', [("name", "Ann"), ("ssn", "5")]),
        ("{'name' : 'Ann O', 'ssn': -1.5e3}", [("name", "Ann O"), ("ssn", "-1.5e3")]),
        ('"name"=>"Ann" "ssn"="5"', [("name", "Ann"), ("ssn", "5")]),
        ('"name": [', []),
        ('"name": ""', []),
        ("\"name': 'Ann'", []),
        ("name = Ann", []),
    ],
    ids=["cut JSON", "single quotes", "arrow and equals", "no value", "empty", "other quotes", "no quotes"],
)
def test_value_behind_a_name_in_quotes_is_shown(text: str, values: list[tuple[str, str]]) -> None:
    assert list_values(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("<name>Ann</name><x>y</x>", [("name", "Ann")]),
        ('<a:ssn type="x">5</a:ssn>', [("ssn", "5")]),
        ("<th>Full name</th> <td>Ann</td><td>Name</td><td>Bob</td>", [("Full name", "Ann"), ("Name", "Bob")]),
        ("<name>Ann</ssn>", []),
        ("<name></name>", []),
    ],
    ids=["element", "with a prefix", "cells", "another end", "empty"],
)
def test_value_of_an_element_is_shown(text: str, values: list[tuple[str, str]]) -> None:
    assert list_values(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("<tr><th>SSN</th><th>x</th></tr><tr><td>5</td><td>6</td></tr>", [("SSN", "5")]),
        (
            "<TR ><TH>E-Mail</TH><TH> Name</TH></TR><TR><TD><a>x</a></TD><TD>\n Ann </TD></TR>",
            [("full name", "Ann")],
        ),
        ("<tr><th>x</th><th>ssn</th></tr><tr><th>1</th><td>5</td></tr>", [("ssn", "5")]),
        ("<tr><th>x</th></tr><tr><td>1</td><td>5</td></tr></table>", []),
        ("<tr><th>ssn</th></tr><tr><td> </td></tr>", []),
    ],
    ids=["columns", "name of a person", "head of a row", "more cells", "empty"],
)
def test_cell_of_html_is_shown_below_the_head_of_its_column(text: str, values: list[tuple[str, str]]) -> None:
    assert list_values(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("name,x\nAnn,1\nBob,2", [("name", "Ann"), ("name", "Bob")]),
        ("name;ssn\r\nAnn;5\r\n", [("full name", "Ann"), ("ssn", "5")]),
        ("x\tname\n1\tAnn", [("name", "Ann")]),
        ('name,x\n"Ann, B",1\n,2', [("name", "Ann, B")]),
        ("| name | x |\n|---|:--|\n| Ann | 1 |\n| **Bob** | |", [("name", "Ann"), ("name", "Bob")]),
        ("name,x\n***-1,2\n*Bo*,1\n****,1", [("name", "***-1"), ("name", "Bo"), ("name", "****")]),
        ("name | x\nAnn | 1", [("name", "Ann")]),
        ("Rows:\nname,x\nAnn,1\n\nand more", [("name", "Ann")]),
        ("name,x\nAnn\nBob,2", []),
        ("x,y\n1,2", []),
        ("name\nAnn", []),
        ("5,name\n1,Ann", []),
        ("name,x", []),
        ("name," * 1000 + "x\n" + "Ann," * 1000 + "y", []),
        ("1,2\n" * 30 + "name,x\nAnn,1", []),
    ],
    ids=[
        *("commas", "semicolons", "tabs", "quotes", "Markdown", "stars", "bars", "text around", "no cells below"),
        *("names that tell nothing", "one column", "no names", "no rows", "too long", "many lines without names"),
    ],
)
def test_cell_is_shown_below_the_name_of_its_column(text: str, values: list[tuple[str, str]]) -> None:
    assert list_values(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"ssn": 536221234, "x": [', ["536221234"]),
        ("<ssn>536221234</ssn>", ["536221234"]),
        ("id,ssn,x\n1,536221234,y\n2,none,y", ["536221234"]),
        ('"ssn":"-"', []),
    ],
    ids=["quoted", "element", "table", "no value"],
)
def test_value_is_found_by_the_name_that_its_text_shows(text: str, values: list[str]) -> None:
    assert [text[each.start : each.end] for each in find(text, Detectors.of("us_ssn"))] == values
