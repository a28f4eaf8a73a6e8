"""Which spellings of a URL are one audience (RFC 3986 section 6), and which are not."""

import pytest

from agen_authz.core.identity.audience import is_for, spell_audience, spell_audiences

EQUAL = {
    "slash at the root": ("https://mcp.example.com", "https://mcp.example.com/"),
    "no slash at the root": ("https://mcp.example.com/", "https://mcp.example.com"),
    "default port": ("https://mcp.example.com/mcp", "https://mcp.example.com:443/mcp"),
    "default port of http": ("http://localhost/mcp", "http://localhost:80/mcp"),
    "default port at the root": ("https://mcp.example.com", "https://mcp.example.com:443/"),
    "no digits behind the colon": ("https://mcp.example.com/mcp", "https://mcp.example.com:/mcp"),
    "host in capitals": ("https://mcp.example.com/mcp", "HTTPS://MCP.Example.com/mcp"),
    "query at the root": ("https://mcp.example.com?v=1", "https://mcp.example.com/?v=1"),
    "IPv6": ("https://[2001:db8::1]/mcp", "https://[2001:DB8::1]:443/mcp"),
    "another port": ("https://mcp.example.com:8443", "https://mcp.example.com:8443/"),
    "configured with a slash": ("https://mcp.example.com:443/", "https://mcp.example.com"),
    "not a URL": ("api://ID", "api://ID"),
}
DIFFERENT = {
    "slash below the root": ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp/"),
    "another scheme": ("https://mcp.example.com/mcp", "http://mcp.example.com/mcp"),
    "the other scheme's port": ("https://mcp.example.com/mcp", "https://mcp.example.com:80/mcp"),
    "another port": ("https://mcp.example.com/mcp", "https://mcp.example.com:8443/mcp"),
    "the root of the host": ("https://mcp.example.com/mcp", "https://mcp.example.com/"),
    "another host": ("https://mcp.example.com/", "https://mcp.example.com.evil.example/"),
    "a dot behind the host": ("https://mcp.example.com/", "https://mcp.example.com./"),
    "a user": ("https://mcp.example.com/", "https://mcp.example.com@evil.example/"),
    "a user before the host": ("https://mcp.example.com/", "https://user@mcp.example.com/"),
    "path in capitals": ("https://mcp.example.com/mcp", "https://mcp.example.com/MCP"),
    "escaped path": ("https://mcp.example.com/mcp", "https://mcp.example.com/%6dcp"),
    "dot segments": ("https://mcp.example.com/mcp", "https://mcp.example.com/x/../mcp"),
    "two slashes": ("https://mcp.example.com/", "https://mcp.example.com//"),
    "query": ("https://mcp.example.com/", "https://mcp.example.com/?"),
    "fragment": ("https://mcp.example.com/", "https://mcp.example.com/#x"),
    "backslash": ("https://mcp.example.com/", "https:\\\\mcp.example.com/"),
    "line end": ("https://mcp.example.com/", "https://mcp.example.com/\n"),
    "blank": ("https://mcp.example.com/", " https://mcp.example.com/"),
    "name in capitals": ("api://ID", "api://id"),
    "host that folds to ASCII": ("https://k.example/", "https://\u212a.example/"),
}


@pytest.mark.parametrize("name", EQUAL)
def test_spellings_of_one_url_are_one_audience(name):
    configured, asked = EQUAL[name]
    assert is_for(frozenset({"other", asked}), spell_audiences([configured]))


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_another_audience(name):
    configured, asked = DIFFERENT[name]
    assert not is_for(frozenset({asked}), spell_audiences([configured]))


@pytest.mark.parametrize("audience", sorted({each for pair in (*EQUAL.values(), *DIFFERENT.values()) for each in pair}))
def test_normal_form_is_its_own_normal_form(audience):
    assert spell_audience(spell_audience(audience)) == spell_audience(audience)


def test_token_without_audience_is_refused():
    assert not is_for(frozenset(), spell_audiences(["https://mcp.example.com/"]))
