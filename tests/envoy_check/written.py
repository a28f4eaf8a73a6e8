"""Changes to a sound configuration of Envoy, as texts to replace, for the tests of its examination."""

from pathlib import Path

from agen_authz.envoy.check import check_file

SOUND = (Path(__file__).parent / "sound.yaml").read_text()
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
ROUTE = "                route:\n                  cluster: crm\n"
AUTHZ = "              status_on_error: {code: ServiceUnavailable}\n"
AUTHZ_FILTER = "          - name: envoy.filters.http.ext_authz\n"
PROC_FILTER = "          - name: envoy.filters.http.ext_proc\n"
PROC = "                  status_on_error: {code: BadGateway}\n"
GRPC = "                envoy_grpc: {cluster_name: authz}\n"
AUTHZ_PIPE = "{pipe: {path: /run/agen/authz.sock}}"
REMOTE = "{socket_address: {address: authz.example.com, port_value: 9191}}"
HOST = '              domains: ["*"]\n'


def level(line: str) -> tuple[str, str]:
    return HOST, f"{HOST}              {line}\n"


def action(line: str) -> tuple[str, str]:
    return ROUTE, f"{ROUTE}                  {line}\n"


def authz(line: str) -> tuple[str, str]:
    return AUTHZ, f"{AUTHZ}              {line}\n"


def after(name: str, kind: str, settings: str = "") -> tuple[str, str]:
    config = f'{{"@type": {HTTP}.{name}.v3.{kind}{settings}}}'
    return (
        PROC_FILTER,
        f"          - name: envoy.filters.http.{name}\n            typed_config: {config}\n{PROC_FILTER}",
    )


def before(name: str, kind: str, settings: str = "") -> tuple[str, str]:
    config = f'{{"@type": {HTTP}.{name}.v3.{kind}{settings}}}'
    return (
        AUTHZ_FILTER,
        f"          - name: envoy.filters.http.{name}\n            typed_config: {config}\n{AUTHZ_FILTER}",
    )


def per_route(name: str, kind: str, settings: str) -> tuple[str, str]:
    entry = f'{{envoy.filters.http.{name}: {{"@type": {HTTP}.{name}.v3.{kind}, {settings}}}}}'
    return ROUTE, f"{ROUTE}                typed_per_filter_config: {entry}\n"


def mutation(change: str) -> tuple[str, str]:
    return after("header_mutation", "HeaderMutation", f", mutations: {{{change}}}")


def tls(settings: str) -> tuple[str, str]:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    socket = f'{{name: tls, typed_config: {{"@type": {kind}, common_tls_context: {settings}}}}}'
    return "  - name: authz\n", f"  - name: authz\n    transport_socket: {socket}\n"


def rules(line: str) -> tuple[str, str]:
    allow = "                allow_envoy: true\n"
    return allow, f"{allow}                {line}\n"


def switch(more: str = "") -> tuple[str, str]:
    """Switch ext_authz on by what Istio's RBAC filter writes for the provider `crm`."""
    return authz(
        "filter_enabled_metadata: {filter: envoy.filters.http.rbac, path: [{key: istio_ext_authz_"
        f"shadow_effective_policy_id}}], value: {{string_match: {{prefix: istio-ext-authz-crm}}}}{more}}}"
    )


def shadow(prefix: str = "istio_ext_authz_", policy: str = "istio-ext-authz-crm") -> tuple[str, str]:
    """Put an RBAC filter before ext_authz that names a policy on every request."""
    kind = f'"@type": {HTTP}.rbac.v3.RBAC, shadow_rules_stat_prefix: {prefix}'
    everything = "{permissions: [{any: true}], principals: [{any: true}]}"
    config = f"{{{kind}, shadow_rules: {{policies: {{'{policy}-rule[0]': {everything}}}}}}}"
    return AUTHZ_FILTER, f"          - name: rbac\n            typed_config: {config}\n{AUTHZ_FILTER}"


REMOTE_AUTHZ = (AUTHZ_PIPE, REMOTE)
WEIGHTED = (
    "                  cluster: crm\n",
    "                  weighted_clusters: {clusters: [{name: crm, weight: 1, typed_per_filter_config:"
    f' {{envoy.filters.http.ext_authz: {{"@type": {HTTP}.ext_authz.v3.ExtAuthzPerRoute, disabled: true}}}}}}]}}\n',
)
UPSTREAM = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def crm(settings: str) -> tuple[str, str]:
    """Say how the backend's cluster speaks HTTP."""
    options = f'{{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{"@type": {UPSTREAM}, {settings}}}}}'
    return "  - name: crm\n", f"  - name: crm\n    typed_extension_protocol_options: {options}\n"


def find_in(changes: list[tuple[str, str]]) -> set[str]:
    """Change the sound configuration, each text once, and examine it; the findings and hints."""
    text = SOUND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    report = check_file(text)
    return {finding.id for finding in (*report.findings, *report.hints)}
