"""RFC 9421's own examples, byte for byte."""

from base64 import b64decode, b64encode

import pytest

from agen_authz.core.signature import SignedTarget, compute_signature, derive, render_signed_text

# Appendix B.1.5 and the request of appendix B.2.
SHARED_SECRET = b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
HEADERS = {"date": "Tue, 20 Apr 2021 02:07:55 GMT", "content-type": "application/json"}
REQUEST = SignedTarget("https", "example.com", "/foo", "param=Value&Pet=dog")
# Appendix B.2.5.
COVERED = ("date", "@authority", "content-type")
PARAMETERS = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
SIGNED_TEXT = (
    '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
    '"@authority": example.com\n'
    '"content-type": application/json\n'
    f'"@signature-params": {PARAMETERS}'
)
SIGNATURE = "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="


def test_example_of_hmac_is_signed_byte_for_byte():
    lines = [(name, HEADERS.get(name) or derive(name, "POST", REQUEST) or "") for name in COVERED]
    text = render_signed_text(lines, PARAMETERS)
    assert text == SIGNED_TEXT
    assert b64encode(compute_signature(text, SHARED_SECRET)).decode("ascii") == SIGNATURE


# Sections 2.2.1 to 2.2.8; the scheme's own port is of section 2.2.3.
EXAMPLES = {
    "@method": ("POST", SignedTarget("https", "www.example.com", "/path", "param=value")),
    "@target-uri": (
        "https://www.example.com/path?param=value",
        SignedTarget("https", "www.example.com", "/path", "param=value"),
    ),
    "@authority": ("www.example.com", SignedTarget("https", "www.EXAMPLE.com:443", "/path", "param=value")),
    "@scheme": ("https", SignedTarget("https", "www.example.com", "/path", "param=value")),
    "@request-target": ("/path?param=value", SignedTarget("https", "www.example.com", "/path", "param=value")),
    "@path": ("/path", SignedTarget("https", "www.example.com", "/path", "param=value")),
    "@query": (
        "?param=value&foo=bar&baz=bat%2Dman",
        SignedTarget("https", "www.example.com", "/path", "param=value&foo=bar&baz=bat%2Dman"),
    ),
}


@pytest.mark.parametrize("component", EXAMPLES)
def test_examples_of_derived_components(component):
    expected, target = EXAMPLES[component]
    assert derive(component, "POST", target) == expected


def test_absent_query_is_a_question_mark():
    assert derive("@query", "POST", SignedTarget("https", "www.example.com", "/path", None)) == "?"


FORM = "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something"
PARAMS = {
    "baz": ("batman", "param=value&foo=bar&baz=batman&qux="),
    "qux": ("", "param=value&foo=bar&baz=batman&qux="),
    "param": ("value", "param=value&foo=bar&baz=batman&qux="),
    "var": ("this%20is%20a%20big%0Amultiline%20value", FORM),
    "bar": ("with%20plus%20whitespace", FORM),
    "fa%C3%A7ade%22%3A%20": ("something", FORM),
}


@pytest.mark.parametrize("name", PARAMS)
def test_examples_of_query_parameters(name):
    expected, query = PARAMS[name]
    target = SignedTarget("https", "www.example.com", "/parameters", query)
    assert derive(f'@query-param;name="{name}"', "GET", target) == expected
