"""The spelling in which a backend opens a URI."""

import pytest

from agen_authz.core.message.target import open_uri

OPENED = {
    "docs://hr/salaries": "docs://hr/salaries",
    "docs://hr/salaries/": "docs://hr/salaries",
    "docs://hr//salaries": "docs://hr/salaries",
    "docs:///hr/salaries": "docs://hr/salaries",
    "docs:/hr/salaries": "docs://hr/salaries",
    "docs:hr/salaries": "docs://hr/salaries",
    "docs://hr/salaries;v=1": "docs://hr/salaries",
    "docs://hr;v=1/salaries": "docs://hr/salaries",
    "docs://hr/;v=1/salaries": "docs://hr/salaries",
    "docs://hr/salaries?x": "docs://hr/salaries",
    "docs://hr/salaries/?x=/y;z": "docs://hr/salaries",
    "docs://hr/*?year=*": "docs://hr/*",
    "docs://**": "docs://**",
    "file:///srv/salaries.csv/": "file:///srv/salaries.csv",
    "file:///": "file:///",
    "https://example.com/a/": "https://example.com/a",
    "urn:isbn:1": "urn:isbn:1",
    "urn:isbn:1?x": "urn:isbn:1",
    "**": "**",
}


@pytest.mark.parametrize("uri", OPENED)
def test_uri_is_opened_in_one_spelling(uri):
    assert open_uri(uri) == OPENED[uri]
    assert open_uri(OPENED[uri]) == OPENED[uri]
