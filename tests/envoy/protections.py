"""The protections in Envoy's configuration: for each, an attack, what becomes of it, and what it gets without."""

from collections.abc import Callable

from envoy_data_plane.envoy.config.core.v3 import HeaderValueOption
from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from envoy_data_plane.envoy.type.v3 import StatusCode

from tests.envoy.attack import (
    Protection,
    attack,
    bodies,
    brought,
    fails,
    is_copied,
    lines,
    lingers,
    sends,
    sends_headers,
    shown,
    sizes,
    told,
)
from tests.envoy.copies import (
    GONE_HOST,
    LIMITS,
    Change,
    Tree,
    as_rendered,
    authz,
    both,
    crm_routes,
    drop,
    manager,
    mutation,
    put,
    router,
    virtual_hosts,
)
from tests.envoy.proc_protections import PROCESS
from tests.envoy.stand import PLAIN_ANSWER, Asked, allow, chunked, deny, overwrite
from tests.envoy.stand import request as write

CRM = "/crm/mcp"
_BRIEF = "0.2s"


def _action(listener: Tree) -> Tree:
    action: Tree = crm_routes(listener)[0]["route"]
    return action


def _options(listener: Tree) -> Tree:
    options: Tree = manager(listener)["common_http_protocol_options"]
    return options


def _match(number: int) -> Callable[[Tree], Tree]:
    def find(listener: Tree) -> Tree:
        match: Tree = crm_routes(listener)[number]["match"]
        return match

    return find


def _forward_nowhere(listener: Tree) -> None:
    route = crm_routes(listener)[-1]
    del route["direct_response"]
    route["route"] = {"cluster": "resource-crm"}


def _take_any_host(listener: Tree) -> None:
    del virtual_hosts(listener)[1:]
    virtual_hosts(listener)[0]["domains"] = ["*"]


def _match_prefix(listener: Tree) -> None:
    _match(0)(listener)["prefix"] = _match(0)(listener).pop("path")


def _drop_filter(listener: Tree) -> None:
    filters = manager(listener)["http_filters"]
    filters[:] = [each for each in filters if not each["name"].endswith("ext_authz")]


def _sets(name: str, value: str) -> Callable[[Asked], CheckResponse]:
    header: HeaderValueOption = overwrite(name, value)
    return lambda _: allow(headers=[header])


def _rules(listener: Tree) -> Tree:
    rules: Tree = authz(listener)["decoder_header_mutation_rules"]
    return rules


def _buffering(listener: Tree) -> Tree:
    settings: Tree = authz(listener)["with_request_body"]
    return settings


_GET = write("GET", CRM)
_LARGE = write("POST", CRM, body=b"x" * (LIMITS.request_bytes + 1))
_UPGRADE = write("GET", CRM, headers=("upgrade: websocket",)).replace(b"connection: close", b"connection: upgrade")
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
_MOVED = b"HTTP/1.1 302 Found\r\nlocation: http://crm.example.com/crm/mcp\r\ncontent-length: 0\r\n\r\n"
_SOCKETS = [{"upgrade_type": "websocket"}]
_RETRY = {"retry_on": "5xx", "num_retries": 2}

# Without a word of Check, ext_proc still keeps the answer back: the call itself has arrived.
FILTER = {
    "ext_authz": Protection(
        _drop_filter, attack(_GET, answer=lambda _: deny(StatusCode.Forbidden, {})), (403, 1, 0), (502, 0, 1)
    ),
    "failure_mode_allow": Protection(
        put(authz, "failure_mode_allow", True), attack(_GET, answer=fails), (503, 1, 0), (502, 1, 1)
    ),
    "status_on_error": Protection(drop(authz, "status_on_error"), attack(_GET, answer=fails), (503, 1, 0), (403, 1, 0)),
    "with_request_body": Protection(
        drop(authz, "with_request_body"),
        attack(write("POST", CRM, body=b"{}"), bodies),
        ([b"{}"], [b"{}"]),
        ([b""], [b"{}"]),
    ),
    "max_request_bytes": Protection(
        put(_buffering, "max_request_bytes", 1 << 20),
        attack(_LARGE),
        (413, 0, 0),
        (200, 1, 1),
    ),
    "allow_partial_message": Protection(
        put(_buffering, "allow_partial_message", True),
        attack(_LARGE, sizes),
        ([], []),
        ([1 << 16], [(1 << 16) + 1]),
    ),
    "pack_as_bytes": Protection(
        drop(_buffering, "pack_as_bytes"),
        attack(write("POST", CRM, body=b"a\xff!"), bodies),
        ([b"a\xff!"], [b"a\xff!"]),
        ([b"a!!"], [b"a\xff!"]),
    ),
    "encode_raw_headers": Protection(
        drop(authz, "encode_raw_headers"),
        attack(write("GET", CRM, headers=("mcp-name: a", "mcp-name: b")), shown("mcp-name")),
        [[b"a", b"b"]],
        [[b"a,b"]],
    ),
    "validate_mutations": Protection(
        drop(authz, "validate_mutations"),
        attack(_GET, lambda seen: (seen.counts, b"agen" in seen.reply.body), answer=_sets("agen subject", "ann")),
        ((500, 1, 0), False),
        ((503, 1, 0), True),
    ),
    "decoder_header_mutation_rules": Protection(
        drop(authz, "decoder_header_mutation_rules"),
        attack(_GET, brought("host"), answer=_sets("host", "evil.example.com")),
        [],
        [["evil.example.com"]],
    ),
    "disallow_is_error": Protection(
        drop(_rules, "disallow_is_error"),
        attack(_GET, answer=_sets("host", "evil.example.com")),
        (500, 1, 0),
        (200, 1, 1),
    ),
    "disallow_expression": Protection(
        drop(_rules, "disallow_expression"),
        attack(write("POST", CRM, body=b"{}"), sizes, answer=_sets("content-length", "1")),
        ([2], []),
        ([2], [1]),
    ),
    "disallow_system": Protection(
        drop(_rules, "disallow_system"),
        attack(_GET, lines, answer=_sets(":path", "/admin")),
        [],
        ["GET /admin HTTP/1.1"],
    ),
    "allow_envoy": Protection(
        drop(_rules, "allow_envoy"),
        attack(_GET, brought("x-envoy-decided"), answer=_sets("x-envoy-decided", "1")),
        [["1"]],
        [],
    ),
}

CONNECTION = {
    "use_remote_address": Protection(
        drop(manager, "use_remote_address"),
        attack(
            write("GET", CRM, headers=("x-forwarded-for: 198.51.100.7",)),
            lambda seen: shown("x-forwarded-for")(seen) == [[b"198.51.100.7"]],
        ),
        False,
        True,
    ),
    "internal_address_config": Protection(
        put(manager, "internal_address_config", {}),
        attack(
            write("GET", CRM, headers=("x-request-id: mine",)), lambda seen: shown("x-request-id")(seen) == [[b"mine"]]
        ),
        False,
        True,
    ),
    "request_mutations": Protection(
        drop(lambda listener: mutation(listener)["mutations"], "request_mutations"),
        attack(write("GET", CRM, headers=("x-envoy-auth-partial-body: true",)), brought("x-envoy-auth-partial-body")),
        [[]],
        [["true"]],
    ),
    "response_mutations": Protection(
        drop(lambda listener: mutation(listener)["mutations"], "response_mutations"),
        attack(_GET, told("x-envoy-kept"), pieces=sends_headers("x-envoy-kept: 1")),
        None,
        "1",
    ),
    "headers_with_underscores_action": Protection(
        drop(_options, "headers_with_underscores_action"),
        attack(write("GET", CRM, headers=("agen_subject: x",)), brought("agen_subject")),
        [[]],
        [["x"]],
    ),
    "max_headers_count": Protection(
        drop(_options, "max_headers_count"),
        attack(write("GET", CRM, headers=tuple(f"h{number}: 1" for number in range(97)))),
        (431, 0, 0),
        (200, 1, 1),
    ),
    "max_request_headers_kb": Protection(
        drop(manager, "max_request_headers_kb"),
        attack(write("GET", CRM, headers=("big: " + "x" * 40_000,))),
        (431, 0, 0),
        (200, 1, 1),
    ),
    "request_headers_timeout": Protection(
        drop(manager, "request_headers_timeout"),
        lingers(b"GET /crm/mcp HTTP/1.1\r\nhost: crm.example.com\r\n"),
        408,
        "waits",
        given=put(manager, "request_headers_timeout", _BRIEF),
    ),
    "request_timeout": Protection(
        drop(manager, "request_timeout"),
        lingers(write("POST", CRM, headers=("transfer-encoding: chunked",)) + b"1\r\n"),
        408,
        "waits",
        given=put(manager, "request_timeout", _BRIEF),
    ),
    "stream_idle_timeout": Protection(
        drop(manager, "stream_idle_timeout"),
        lingers(_GET),
        504,
        "waits",
        given=put(manager, "stream_idle_timeout", _BRIEF),
    ),
    "max_stream_duration": Protection(
        drop(_options, "max_stream_duration"),
        lingers(_GET),
        504,
        "waits",
        given=put(_options, "max_stream_duration", _BRIEF),
    ),
    "normalize_path": Protection(
        drop(manager, "normalize_path"),
        attack(write("GET", f"{CRM}/../../admin"), lines),
        [],
        ["GET /mcp/../../admin HTTP/1.1"],
        given=_match_prefix,
    ),
    "merge_slashes": Protection(
        drop(manager, "merge_slashes"),
        attack(write("GET", f"{CRM}//a"), lines),
        ["GET /mcp/a HTTP/1.1"],
        ["GET /mcp//a HTTP/1.1"],
        given=_match_prefix,
    ),
    "path_with_escaped_slashes_action": Protection(
        drop(manager, "path_with_escaped_slashes_action"),
        attack(write("GET", f"{CRM}%2f..%2fadmin"), lines),
        [],
        ["GET /mcp%2f..%2fadmin HTTP/1.1"],
        given=_match_prefix,
    ),
    "local_reply_config": Protection(
        drop(manager, "local_reply_config"),
        attack(write("GET", "/mcp", host=GONE_HOST), lambda seen: b"upstream connect error" in seen.reply.body),
        False,
        True,
    ),
    "server_header_transformation": Protection(
        drop(manager, "server_header_transformation"),
        attack(write("GET", "/nowhere"), told("server")),
        None,
        "envoy",
    ),
    "response_headers_to_remove": Protection(
        drop(lambda listener: manager(listener)["route_config"], "response_headers_to_remove"),
        attack(_GET, told("set-cookie"), pieces=sends_headers("set-cookie: a=b")),
        None,
        "a=b",
    ),
    "suppress_envoy_headers": Protection(
        drop(router, "suppress_envoy_headers"),
        attack(_GET, brought("x-envoy-original-path")),
        [[]],
        [[CRM]],
    ),
}

ROUTE = {
    "path": Protection(_match_prefix, attack(write("GET", f"{CRM}/admin"), lines), [], ["GET /mcp/admin HTTP/1.1"]),
    "domains": Protection(_take_any_host, attack(write("GET", CRM, host="evil.example.com")), (404, 0, 0), (200, 1, 1)),
    "direct_response": Protection(_forward_nowhere, attack(write("GET", "/admin")), (404, 0, 0), (200, 0, 1)),
    "authorization": Protection(
        drop(_match(0), "headers"),
        attack(write("POST", CRM, token=False, body=b"{}"), sizes),
        ([0], []),
        ([2], [2]),
    ),
    "disable_request_body_buffering": Protection(
        drop(lambda listener: crm_routes(listener)[1], "typed_per_filter_config"),
        attack(write("POST", CRM, token=False, body=b"{}"), sizes),
        ([0], []),
        ([2], []),
    ),
}

# What protects by not being there.
ABSENT = {
    "upgrade_configs": Protection(
        put(manager, "upgrade_configs", _SOCKETS), attack(_UPGRADE, pieces=sends(_SWITCH)), (403, 0, 0), (101, 1, 1)
    ),
    "retry_policy": Protection(
        put(_action, "retry_policy", _RETRY), attack(_GET, pieces=sends(_BUSY)), (503, 1, 1), (503, 1, 3)
    ),
    "request_mirror_policies": Protection(
        put(_action, "request_mirror_policies", [{"cluster": "resource-crm"}]), is_copied(_GET), 1, 2
    ),
    "internal_redirect_policy": Protection(
        put(_action, "internal_redirect_policy", {}),
        attack(_GET, pieces=sends(_MOVED)),
        (302, 1, 1),
        (302, 2, 2),
    ),
    "proxy_100_continue": Protection(
        put(manager, "proxy_100_continue", True),
        attack(
            write("POST", CRM, headers=("expect: 100-continue",), body=b"{}"),
            lambda seen: b"leak" in seen.reply.raw,
            pieces=sends(b"HTTP/1.1 100 Go\r\nlink: leak\r\n\r\n", PLAIN_ANSWER),
        ),
        False,
        True,
    ),
    "accept_http_10": Protection(
        put(manager, "http_protocol_options", {"accept_http_10": True}),
        attack(_GET.replace(b"HTTP/1.1", b"HTTP/1.0")),
        (426, 0, 0),
        (200, 1, 1),
    ),
    "allow_chunked_length": Protection(
        put(manager, "http_protocol_options", {"allow_chunked_length": True}),
        attack(write("POST", CRM, headers=("content-length: 3", "transfer-encoding: chunked")) + chunked(b"{}")),
        (400, 0, 0),
        (200, 1, 1),
    ),
}

PROTECTIONS = FILTER | CONNECTION | ROUTE | ABSENT | PROCESS


def name_changes() -> dict[str, Change]:
    """Name every listener that the table needs."""
    changes: dict[str, Change] = {"as rendered": as_rendered}
    for name, protection in PROTECTIONS.items():
        changes[f"without {name}"] = both(protection.given, protection.remove)
        if protection.given is not as_rendered:
            changes[f"given {name}"] = protection.given
    return changes
