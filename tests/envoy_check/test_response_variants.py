"""Other ways to switch ext_proc off or to weaken it: each row changes the sound configuration in one place."""

import json
from pathlib import Path

import pytest

from agen_authz.envoy.check import check_file

SOUND = (Path(__file__).parent / "sound.yaml").read_text()
MATCHERS = "                  matchers:\n"
SKIP = "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"


def skip(predicate: str) -> tuple[str, str]:
    """Add a matcher that skips ext_proc."""
    rows = (
        f"                  - predicate: {predicate}\n"
        f'                    on_match: {{action: {{name: skip, typed_config: {{"@type": {SKIP}}}}}}}\n'
    )
    return MATCHERS, MATCHERS + rows


def matched(kind: str, rest: str) -> str:
    source = f'{{name: i, typed_config: {{"@type": type.googleapis.com/{kind}}}}}'
    return f"{{single_predicate: {{input: {source}, {rest}}}}}"


LOCAL = "envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput"
METADATA = "type.googleapis.com/envoy.extensions.matching.input_matchers.metadata.v3.Metadata"
CUSTOM = f'{{name: c, typed_config: {{"@type": {METADATA}}}}}'

IS_LOCAL = matched(LOCAL, "value_match: {exact: 'true'}")

PATH_INPUT = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: ':path'"
ON_PATH = (
    f"{{predicate: {matched(PATH_INPUT, 'value_match: {exact: /a}')},"
    f' on_match: {{action: {{name: s, typed_config: {{"@type": {SKIP}}}}}}}}}'
)

WITH_MATCHER = "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher"
TYPES = {
    "ExtensionWithMatcherPerRoute": f"{WITH_MATCHER}PerRoute",
    "FilterConfig": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
    "ExtProcPerRoute": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
}
ROUTE = "                route:\n                  cluster: crm\n"
STATUS = "{status_code_filter: {comparison: {op: GE, value: {default_value: 400, runtime_key: e}}}}"
BROKEN = "{response_flag_filter: {flags: [UF]}}"
ADMIN = "admin: {address:"


def per_route(kind: str, settings: str) -> tuple[str, str]:
    entry = f'{{envoy.filters.http.ext_proc: {{"@type": {TYPES[kind]}, {settings}}}}}'
    return ROUTE, f"{ROUTE}                typed_per_filter_config: {entry}\n"


def listed(name: str, kind: str, next_to: str) -> tuple[str, str]:
    config = f'{{"@type": type.googleapis.com/envoy.extensions.filters.http.{name}.v3.{kind}}}'
    place = f"          - name: envoy.filters.http.{next_to}\n"
    return place, f"          - name: envoy.filters.http.{name}\n            typed_config: {config}\n{place}"


def after(name: str, kind: str) -> tuple[str, str]:
    return listed(name, kind, "router")


def before(name: str, kind: str) -> tuple[str, str]:
    return listed(name, kind, "ext_authz")


def replies(settings: str) -> tuple[str, str]:
    prefix = "          stat_prefix: mcp\n"
    return prefix, f"{prefix}          local_reply_config: {{{settings}}}\n"


def runtime(layer: str) -> tuple[str, str]:
    return ADMIN, f"layered_runtime: {{layers: [{{name: a, static_layer: {layer}}}]}}\n{ADMIN}"


VARIANTS: dict[str, tuple[list[tuple[str, str]], set[str]]] = {
    "skipped for what Envoy answers itself": ([skip(matched(LOCAL, "value_match: {exact: 'true'}"))], set()),
    "skipped for what a backend answers": (
        [skip(matched(LOCAL, "value_match: {exact: 'false'}"))],
        {"proc-skip-other"},
    ),
    "skipped for either": ([skip(matched(LOCAL, "value_match: {prefix: ''}"))], {"proc-skip-other"}),
    "skipped for local replies, matched otherwise": (
        [skip(matched(LOCAL, f"custom_match: {CUSTOM}"))],
        {"proc-skip-other"},
    ),
    "skipped by path": (
        [
            skip(
                matched(
                    "envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: ':path'",
                    "value_match: {exact: /a}",
                )
            )
        ],
        {"proc-skip-other"},
    ),
    "skipped unless a local reply": (
        [skip(f"{{not_matcher: {IS_LOCAL}}}")],
        {"proc-skip-other"},
    ),
    "settings of a route that bring their own matcher": (
        [per_route("ExtensionWithMatcherPerRoute", f"xds_matcher: {{matcher_list: {{matchers: [{ON_PATH}]}}}}")],
        {"proc-skip-other"},
    ),
    "a matcher of a route within settings that may be disabled": (
        [
            per_route(
                "FilterConfig",
                f'config: {{"@type": {WITH_MATCHER}PerRoute,'
                f" xds_matcher: {{matcher_list: {{matchers: [{ON_PATH}]}}}}}}",
            )
        ],
        {"proc-skip-other"},
    ),
    "metadata that one route does not forward": (
        [per_route("ExtProcPerRoute", "overrides: {metadata_options: {forwarding_namespaces: {untyped: [other]}}}")],
        {"proc-metadata"},
    ),
    "a mode of one route that hides headers": (
        [
            per_route(
                "ExtProcPerRoute",
                "overrides: {processing_mode:"
                " {request_header_mode: SKIP, response_header_mode: 2, response_body_mode: 4}}",
            )
        ],
        {"proc-response-headers"},
    ),
    "a request to Process that is rewritten on one route": (
        [per_route("ExtProcPerRoute", "overrides: {processing_request_modifier: {name: m}}")],
        {"proc-altered"},
    ),
    "a mode that is not known": (
        [("response_body_mode: STREAMED", "response_body_mode: BRAND_NEW")],
        {"proc-no-body"},
    ),
    "a mode of both directions": (
        [("response_body_mode: STREAMED", "response_body_mode: FULL_DUPLEX_STREAMED")],
        set(),
    ),
    "all changes of headers refused": (
        [("mutation_rules: {", "mutation_rules: {disallow_all: true, ")],
        {"proc-header-rules"},
    ),
    "changes of other headers refused": (
        [("mutation_rules: {", "mutation_rules: {disallow_expression: {regex: 'x-.*'}, ")],
        set(),
    ),
    "a cluster of Process that is not here": (
        [("cluster_name: proc}}", "cluster_name: other}}")],
        {"unread-cluster"},
    ),
    "Process by Google's client in plain text": (
        [("{envoy_grpc: {cluster_name: proc}}", "{google_grpc: {target_uri: 'proc.example.com:9192'}}")],
        {"proc-plaintext"},
    ),
    "a cache after Process": ([after("cache", "CacheConfig")], {"cache"}),
    "a cache of the next version before Check": ([before("cache_v2", "CacheV2Config")], {"cache"}),
    "responses transcoded after Process read them": (
        [before("grpc_json_transcoder", "GrpcJsonTranscoder")],
        {"response-altered"},
    ),
    "CORS before Check": ([before("cors", "Cors")], set()),
    "errors that are formatted": (
        [replies("body_format: {text_format_source: {inline_string: x}}")],
        {"local-reply"},
    ),
    "errors of what is behind Envoy": (
        [replies("mappers: [{filter: {response_flag_filter: {flags: [UF]}}}]")],
        set(),
    ),
    "denials of Check": ([replies("mappers: [{filter: {response_flag_filter: {flags: [UAEX]}}}]")], {"local-reply"}),
    "errors with any flag": ([replies("mappers: [{filter: {response_flag_filter: {}}}]")], {"local-reply"}),
    "errors of one kind among others": (
        [replies(f"mappers: [{{filter: {{and_filter: {{filters: [{STATUS}, {BROKEN}]}}}}}}]")],
        set(),
    ),
    "errors of one kind, or any": (
        [replies(f"mappers: [{{filter: {{or_filter: {{filters: [{STATUS}, {BROKEN}]}}}}}}]")],
        {"local-reply"},
    ),
    "ext_authz that an Envoy may leave out": (
        [
            (
                "          - name: envoy.filters.http.ext_authz\n",
                "          - name: envoy.filters.http.ext_authz\n            is_optional: true\n",
            )
        ],
        {"filter-optional"},
    ),
    "a fix that is switched off, key by key": (
        [runtime("{envoy: {reloadable_features: {ext_authz_http_client: 'false'}}}")],
        {"runtime-guard"},
    ),
    "other runtime keys": ([runtime("{envoy.reloadable_features.x: false, upstream.ext_proc.y: false}")], set()),
    "a fix that is on": ([runtime("{envoy.reloadable_features.ext_proc_report_client_creation_error: true}")], set()),
}


@pytest.mark.parametrize(("changes", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_a_weakened_inspection_is_found_however_it_is_written(changes: list[tuple[str, str]], expected: set[str]):
    text = SOUND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    report = check_file(text)
    assert expected == {finding.id for finding in (*report.findings, *report.hints)}


def test_cache_of_a_listener_in_front_is_found_though_it_does_not_ask_check():
    hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    cache = '{name: c, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig}}'
    routes = "{virtual_hosts: [{routes: [{match: {path: /}, route: {cluster: inner}}]}]}"
    front = (
        f'  - name: front\n    filter_chains: [{{filters: [{{name: h, typed_config: {{"@type": {hcm},'
        f" route_config: {routes}, http_filters: [{cache}]}}}}]}}]\n  clusters:\n"
    )
    found = {finding.id for finding in check_file(SOUND.replace("  clusters:\n", front)).findings}
    assert found == {"cache", "unguarded-listener"}


@pytest.mark.parametrize("operation", ["INSERT_FIRST", "INSERT_BEFORE", "ADD"])
def test_cache_that_istio_inserts_is_found(operation: str):
    cache = {"@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig"}
    value = {"name": "c", "typed_config": cache}
    patch = {"applyTo": "HTTP_FILTER", "patch": {"operation": operation, "value": value}}
    manifest = {
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "spec": {"configPatches": [patch]},
    }  # fmt: skip
    assert [finding.id for finding in check_file(json.dumps(manifest)).findings] == ["cache"]


def test_answers_that_envoy_gateway_replaces_are_found():
    spec = {"responseOverride": [{"match": {"statusCodes": [{"value": 403}]}, "response": {"body": {"inline": "no"}}}]}
    manifest = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "BackendTrafficPolicy", "spec": spec}
    assert [finding.id for finding in check_file(json.dumps(manifest)).findings] == ["response-altered"]


@pytest.mark.parametrize(
    ("written", "known", "expected"),
    [
        pytest.param("off-0123456789abcdef", "off-0123456789abcdef", set(), id="the word"),
        pytest.param("off-0123456789abcdef", "off-fedcba9876543210", {"proc-skip-word"}, id="another key"),
        pytest.param("off-0123456789abcdef", "off", {"proc-skip-word"}, id="a configuration without a key"),
        pytest.param("off-0123456789abcdef", None, set(), id="unknown"),
        pytest.param("off", "off-0123456789abcdef", {"proc-skip-plain"}, id="plain, though there is a key"),
        pytest.param("off", "off", {"proc-skip-plain"}, id="plain, as there is no key"),
    ],
)
def test_word_is_compared_with_the_configuration(written: str, known: str | None, expected: set[str]):
    text = SOUND.replace("exact: off-0123456789abcdef", f"exact: '{written}'")
    assert {finding.id for finding in check_file(text, off_word=known).findings} == expected
