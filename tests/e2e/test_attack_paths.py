"""Request lines, paths and hosts through a real Envoy: one reading of each, or none."""

from urllib.parse import urlsplit

import pytest

from tests.e2e.wire import AS_SENT, Case, Sent, expected_of, outcome_of
from tests.stage.world import World

pytestmark = pytest.mark.envoy

WELL_KNOWN = "/.well-known/oauth-protected-resource"
# Envoy writes these as the resource's own path before Check is asked; the backend gets what was decided on.
NORMALISED = [
    "//crm/mcp", "/crm//mcp", "///crm///mcp", "/crm/./mcp", "/./crm/mcp", "/crm/x/../mcp", "/../crm/mcp",
    "/billing/../crm/mcp", "/billing/mcp/../../crm/mcp", "/.well-known/../crm/mcp", "/crm/%2e/mcp",
    "/crm/%2E%2E/crm/mcp", "/billing/%2e%2e/crm/mcp", "/billing/.%2e/crm/mcp", r"/crm\mcp", r"/billing\..\crm\mcp",
    "/%63rm/mcp", "/crm/%6dcp", "/crm/%6Dcp", "http://{host}/crm/mcp", "HTTP://{host}/crm/mcp",
    "http://{host}/billing/../crm/mcp", "http://evil.example.com@{host}/crm/mcp", " /crm/mcp", "/crm/mcp ",
    "/crm/mcp\t",
]  # fmt: skip
NOWHERE = [
    "/", "/crm", "/mcp", "/CRM/mcp", "/crm/MCP", "/crm/mcp/", "/crm/mcp//", "/crm/mcp/.", "/crm/mcp/..", "/crm/mcp/mcp",
    "/crm/..;/mcp", "/crm/;x/mcp", "/crm;v=1/mcp", "/crm/mcp;", "/crm/mcp;x", "/crm/mcp;jsessionid=1", "/crm/mcp:80",
    "/crm/mcp&x=1", "/crm/~mcp", "/crm/%252e%252e/crm/mcp", "/crm/mcp%20", "/crm/mcp%09", "/crm/mcp%0d%0a",
    "/crm/mcp%3fx", "/crm/mcp%", "/crm/mcp%2", "/crm/mcp%zz", "/crm/m%u0063p", "/crm/mcp%ef%bc%8f", "/crm/mcp%c0%af",
    "//{host}/crm/mcp", "//evil.example.com/crm/mcp", "http://evil.example.com/crm/mcp", "http://{host}",
    "http://{host}@evil.example.com/crm/mcp", "/demo/received", "/ready", "/metrics", "/stats", "/" + "a" * 3000,
    WELL_KNOWN, f"/crm/mcp{WELL_KNOWN}", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
]  # fmt: skip
UNREADABLE = [
    "/crm%2fmcp", "/crm%2Fmcp", "/crm%5cmcp", "/crm/mcp/..%2f", "/crm/mcp%00", "/crm/mcp\x00", "/crm/mcp\x01",
    "/crm/mcp\x7f", "/crm/mcp\xe9", "/crm/mcp#a", "/crm/mcp#", r"\crm\mcp", "crm/mcp", "*", "", "{host}",
    "http:///crm/mcp", "ftp://{host}/crm/mcp", "/crm/mcp HTTP/1.1", "/crm/mcp /billing/mcp",
]  # fmt: skip
QUERIES = ["?", "??", "?x=1", "?access_token={token}", "?/../billing/mcp", "?x#y"]
LINES = {
    "tab": ("POST\t/crm/mcp HTTP/1.1", 200),
    "line_before": ("\r\nPOST /crm/mcp HTTP/1.1", 200),
    "two_lines_before": ("\r\n\r\nPOST /crm/mcp HTTP/1.1", 200),
    "blank_behind": ("POST /crm/mcp HTTP/1.1 ", 200),
    "line_feed_alone": ("POST /crm/mcp HTTP/1.1\nx-dropped: 1", 200),
    "blank_before": (" POST /crm/mcp HTTP/1.1", 400),
    "vertical_tab": ("POST /crm/mcp\x0bHTTP/1.1", 400),
    "tls": ("\x16\x03\x01 /crm/mcp HTTP/1.1", 400),
    "no_version": ("POST /crm/mcp", 426),
    "http_0_9": ("POST /crm/mcp HTTP/0.9", 426),
    "http_1_0": ("POST /crm/mcp HTTP/1.0", 426),
    "http_1_2": ("POST /crm/mcp HTTP/1.2", 426),
    "http_2_0": ("POST /crm/mcp HTTP/2.0", 426),
    "http_1_10": ("POST /crm/mcp HTTP/1.10", 400),
    "http_11": ("POST /crm/mcp HTTP/11", 400),
    "http_in_lower_case": ("POST /crm/mcp http/1.1", 400),
    "other_protocol": ("POST /crm/mcp ICY/1.1", 400),
    "pseudo_path": ("POST /crm/mcp HTTP/1.1\r\n:path: /billing/mcp", 400),
    "pseudo_authority": ("POST /crm/mcp HTTP/1.1\r\n:authority: evil.example.com", 400),
    "pseudo_method": ("POST /crm/mcp HTTP/1.1\r\n:method: DELETE", 400),
    "other_scheme": ("POST https://{host}/crm/mcp HTTP/1.1", 403),
}
HOSTS = {
    "other": ("evil.example.com", 404), "other_name": ("localhost", 404), "other_port": ("127.0.0.1:1", 404),
    "no_port": ("127.0.0.1", 404), "empty_port": ("127.0.0.1:", 404), "zero_before_port": ("127.0.0.1:0{port}", 404),
    "port_twice": ("{host}:80", 404), "port_alone": (":{port}", 404), "dot_behind": ("{host}.", 404),
    "dot_before_port": ("127.0.0.1.:{port}", 404), "userinfo": ("u@{host}", 404), "password": ("u:p@{host}", 404),
    "list": ("{host},evil.example.com", 404), "ipv6": ("[::1]:{port}", 404),
    "mapped": ("[::ffff:127.0.0.1]:{port}", 404),
    "hexadecimal": ("0x7f.0.0.1:{port}", 404), "short": ("127.1:{port}", 404), "escaped": ("%3127.0.0.1:{port}", 404),
    "empty": ("", 404), "blank": ("{host} evil.example.com", 400), "tab": ("{host}\tx", 400),
    "path": ("{host}/crm", 400), "scheme": ("http://{host}", 400), "fragment": ("{host}#", 400),
    "query": ("{host}?", 400),
    "backslash": ("{host}\\", 400), "beyond_ascii": ("\xe9", 400), "folded": ("{host}\r\n .evil", 400),
}  # fmt: skip
HOST_LINES = {
    "two": (Sent(added=[("host", "evil.example.com")]), 404),
    "two_other_order": (Sent(line="POST /crm/mcp HTTP/1.1\r\nhost: evil.example.com"), 404),
    "two_alike": (Sent(added=[("host", "{host}")]), 404),
    "none": (Sent(without=["host"]), 400),
    "none_beside_url": (Sent(line="POST http://{host}/crm/mcp HTTP/1.1", without=["host"]), 200),
    "other_beside_url": (
        Sent(line="POST http://{host}/crm/mcp HTTP/1.1", replaced=[("host", "evil.example.com")]),
        200,
    ),
    "own_beside_other_url": (Sent(line="POST http://evil.example.com/crm/mcp HTTP/1.1"), 404),
}


def _case(sent: Sent, status: int, reason: str | None = None) -> Case:
    return Case(sent, status, reason, AS_SENT if status == 200 else None)


def _at(path: str) -> Sent:
    return Sent(line=f"POST {path} HTTP/1.1")


CASES = {
    **{f"normalised {path!r}": _case(_at(path), 200) for path in NORMALISED},
    **{f"nowhere {path[:60]!r}": _case(_at(path), 404) for path in NOWHERE},
    **{f"unreadable {path!r}": _case(_at(path), 400) for path in UNREADABLE},
    **{f"query {query}": _case(_at(f"/crm/mcp{query}"), 400, "foreign_query") for query in QUERIES[:-1]},
    "query with fragment": _case(_at(f"/crm/mcp{QUERIES[-1]}"), 400),
    "another resource": _case(_at("/billing/mcp"), 401, "token_audience"),
    "another resource behind `..;`": _case(_at("/crm/..;/billing/mcp"), 401, "token_audience"),
    "metadata by POST": _case(_at(f"{WELL_KNOWN}/crm/mcp"), 405, "method_not_allowed"),
    **{f"line {name}": _case(Sent(line=line), status) for name, (line, status) in LINES.items()},
    **{f"host line {name}": _case(*row) for name, row in HOST_LINES.items()},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_path_means_the_same_on_both_sides(attacked: World, case: Case):
    assert outcome_of(attacked, case) == expected_of(attacked, case)


@pytest.mark.parametrize(("host", "status"), HOSTS.values(), ids=HOSTS)
def test_foreign_host_is_nowhere(attacked: World, host: str, status: int):
    port = str(urlsplit(attacked.crm).port)
    case = _case(Sent(replaced=[("host", host.replace("{port}", port))]), status)
    assert outcome_of(attacked, case) == expected_of(attacked, case)
