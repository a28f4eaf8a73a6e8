import pytest

from agen_authz.core.http.route import Route, build_routes
from tests import builders as build

PLAIN = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(("path", "plain"), [("/", PLAIN), ("/mcp", PLAIN + "/mcp")], ids=["at the root", "below"])
def test_metadata_comes_before_the_path(path, plain):
    resource = build.resource(path=path)
    routes = build_routes([resource])
    assert routes.find("mcp.example.com", plain) == Route(resource, is_metadata=True)
    assert routes.find("mcp.example.com", path) == Route(resource, is_metadata=False)
