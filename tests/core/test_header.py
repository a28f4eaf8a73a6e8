import pytest

from agen_authz.core.header import HeaderNames, look_at

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
