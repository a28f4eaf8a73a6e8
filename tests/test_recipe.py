"""The recipe of Check is told three times, to three readers, and is the same each time."""

import re
from pathlib import Path

import pytest

from agen_authz.servers import ext_authz

ROOT = Path(__file__).parents[1]
PLACES = {
    "README.md": r"(\d+)\. \*\*(\w+)\*\*",
    "AGENTS.md": r" {5,6}(\d+) (\w+) ",
    "agen_authz/servers/ext_authz.py": r" {3,4}(\d+) (\w+) ",
}
STEPS = ["read", "route", "identify", "parse", "decide", "approve", "discharge", "render", "consume", "count", "record"]


@pytest.mark.parametrize("place", PLACES)
def test_every_place_tells_the_same_steps_in_the_same_order(place):
    told = re.findall(f"^{PLACES[place]}", (ROOT / place).read_text(), re.MULTILINE)
    assert told == [(str(number + 1), word) for number, word in enumerate(STEPS)]


@pytest.mark.parametrize("place", ["AGENTS.md", "agen_authz/servers/ext_authz.py"])
def test_steps_name_functions_that_are_where_they_say(place):
    named = re.findall(r"^ {3,6}\d+ .*$", (ROOT / place).read_text(), re.MULTILINE)
    found = re.findall(r"([\w/]+\.py):(\w+)", "\n".join(named))
    assert len(found) == 14
    assert all(f"def {name}(" in (ROOT / "agen_authz" / file).read_text() for file, name in found)


def test_numbers_of_the_steps_stand_in_the_code_in_their_order():
    body = Path(ext_authz.__file__).read_text().partition("async def _decide(")[2]
    told = re.findall(r"^ +# ([\d. ]+\.)$", body, re.MULTILINE)
    assert " ".join(told).replace(".", "").split() == [str(number + 1) for number in range(len(STEPS))]


def test_check_and_all_that_authors_run_decide_through_one_function():
    package = ROOT / "agen_authz"
    deciding = re.compile(r"core\.decide import (?:\(\n)?[^)]*?\b(decide|judge)\b")
    found = {
        path.relative_to(package).as_posix(): deciding.findall(path.read_text())
        for path in sorted(package.rglob("*.py"))
        if deciding.search(path.read_text())
    }
    assert found == {
        "authoring/approved.py": ["judge"],
        "obligations/approve.py": ["judge"],
        "servers/ext_authz.py": ["judge"],
    }
