"""The one rule of what this machine is, and that every room keeps to it."""

import re
from pathlib import Path

import pytest

from agen_authz.core.http.loopback import is_loopback, is_loopback_address

ROOT = Path(__file__).parent.parent.parent.parent / "agen_authz"
ADDRESSES = ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1")
OTHERS = (
    "", "::", "10.20.30.40", "10.0.0.1", "::ffff:10.0.0.1", "127.1", "2130706433", "[::1]", "LOCALHOST", "localhost.",
    "x.localhost", "localhost.example.com", "localhost6",
)  # fmt: skip


@pytest.mark.parametrize("host", ADDRESSES)
def test_address_on_loopback_is_this_machine(host):
    assert (is_loopback_address(host), is_loopback(host)) == (True, True)


@pytest.mark.parametrize("host", OTHERS)
def test_anything_else_is_not(host):
    assert (is_loopback_address(host), is_loopback(host)) == (False, False)


def test_the_one_name_is_believed_where_names_are():
    assert (is_loopback_address("localhost"), is_loopback("localhost")) == (False, True)


def test_no_other_module_has_its_own_rule():
    asks_the_library = re.compile(r"\.is_loopback\b|\.localhost\b")
    found = {file.name for file in ROOT.rglob("*.py") if asks_the_library.search(file.read_text("utf-8"))}
    assert found == {"loopback.py", "providers.py"}
