"""The spelling in which a backend opens a URI."""

import pytest

from agen_authz.core.message.target import fold_uri, is_resource_uri, open_uri

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


FOLDED = {
    "docs://hr/salaries/": "docs:hr/salaries",
    "docs:salaries": "docs:salaries",
    "docs://HR/**": "docs:hr/**",
    "docs://hr/GEH%C3%84LTER": "docs:hr/geh\u00e4lter",
    "docs://hr/geha%CC%88lter": "docs:hr/geh\u00e4lter",
    "docs://hr/%2A%3F": "docs:hr/%2a%3f",
    "file:///srv/a/": "file:/srv/a",
    "docs://hr/*?a=://": "docs:hr/*",
    "**": "**",
}


@pytest.mark.parametrize("uri", FOLDED)
def test_uri_is_folded_to_what_some_backend_opens_alike(uri):
    assert fold_uri(uri) == FOLDED[uri]
    assert fold_uri(FOLDED[uri]) == FOLDED[uri]


@pytest.mark.parametrize("uri", ["docs://hr:/salaries", "docs://hr:", "docs://:/x"])
def test_empty_port_is_a_second_spelling(uri):
    assert not is_resource_uri(uri)


def test_port_is_part_of_a_name():
    assert is_resource_uri("docs://hr:80/salaries") and is_resource_uri("docs:hr:/salaries")
