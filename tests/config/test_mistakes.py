"""Every mistake in a configuration is named with its line, its path and what to do; all of them at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.config import load
from agen_authz.core.errors import ConfigError, Problem

GOOD = """\
version: 1
server:
  authz: 127.0.0.1:9191
networks:
  office: ["10.0.0.0/8"]
providers:
  - name: corp
    issuer: https://id.example.com/
    claims: {tenant: tenantId}
    tenants: any
    roles: any
resources:
  - name: crm
    url: https://mcp.example.com/crm/mcp
    providers: [corp]
    insecure_unsigned: true
  - name: billing
    url: https://mcp.example.com/billing/mcp
    providers: [corp]
    insecure_unsigned: true
access:
  mapping: roles
  rules:
    - name: read
      tools: ["crm/get_*"]
      allow: [analyst]
"""
SECOND = "  - {name: second, issuer: 'https://two.example.com/'}\nresources:\n"
POLICY = "policies: [{name: p, state: enforce, tools: ['crm/x'], then: deny%s}]\n"
FLOW = (
    "approvals: {base_url: 'https://a.example.com', flows: [{name: f, timeout: 4h, steps: "
    "[{name: s, approvers: {emails: [a@example.com]}%s}]%s}]%s}\nstore: {encryption_key_file: /k}\n"
)
KEYS = "signing_keys: [{id: k1, secret_file: /a}]"

# name: (what is replaced, or None to append; by what; path; part of the message; part of the cure)
MISTAKES: dict[str, tuple[str | None, str, str, str, str]] = {
    "unknown key": ("mapping: roles", "mapping: roles\n  mapings: 1", "access.mapings", "unknown key", "`mapping`"),
    "unknown key without a neighbour": (None, "zzz: 1\n", "zzz", "unknown key", "known keys here"),
    "duplicate key": (None, "version: 1\n", "version", "twice", "keep one"),
    "missing key": ("  mapping: roles\n", "", "access.mapping", "missing", "add `mapping`"),
    "version": ("version: 1", "version: 2", "version", "1", "docs/configuration.md"),
    "string for a number": (None, "limits: {in_flight: '5'}\n", "limits.in_flight", "integer", "correct"),
    "word for a boolean": ("insecure_unsigned: true", "insecure_unsigned: yes", "resources[0].insecure_unsigned", "bool", ""),
    "duration": ("authz: 127", "check_timeout: 5\n  authz: 127", "server.check_timeout", "duration", ""),
    "size": (None, "limits: {request_bytes: 5MB}\n", "limits.request_bytes", "size", ""),
    "share": (None, "unruled_sample: 200%\n", "unruled_sample", "share", ""),
    "alias": ("[analyst]", "&a [analyst]\n    - {name: b, tools: ['crm/x'], allow: *a}", "access.rules[1].allow", "alias", ""),
    "merge key": ("  mapping: roles", "  <<: {}\n  mapping: roles", "access", "plain word", ""),
    "tag": ("mapping: roles", "mapping: !!python/name:os.system roles", "access.mapping", "tags", ""),
    "not YAML": ("mapping: roles", "mapping: [roles", "", "not valid YAML", ""),
    "allow empty": ("allow: [analyst]", "allow: []", "access.rules[0].allow", "empty", "at least one role"),
    "allow_all empty": ("allow: [analyst]", "allow_all: []", "access.rules[0].allow_all", "empty", ""),
    "neither allow nor allow_all": ("      allow: [analyst]\n", "", "access.rules[0]", "needs one of", "allow_all"),
    "both": ("allow: [analyst]", "allow: [a]\n      allow_all: [b]", "access.rules[0]", "needs one of", ""),
    "rule without selector": ("      tools: [\"crm/get_*\"]\n", "", "access.rules[0]", "names no target", "add `tools`"),
    "selectors empty": ('tools: ["crm/get_*"]', "tools: []", "access.rules[0].tools", "empty", ""),
    "selector of nothing": ("crm/get_*", "crn/get_*", "access.rules[0].tools[0]", "no resource is called", "`crm`"),
    "selector without server": ("crm/get_*", "get_*", "access.rules[0].tools[0]", "not a selector", "server/name"),
    "selector of no tool": ("crm/get_*", "crm/gé", "access.rules[0].tools[0]", "no tool can", ""),
    "no rules": ('rules:\n    - name: read\n      tools: ["crm/get_*"]\n      allow: [analyst]', "rules: []", "access.rules", "empty", ""),
    "two rules of one name": ("allow: [analyst]", "allow: [a]\n    - {name: read, tools: ['crm/x'], allow: [a]}", "access.rules[1].name", "two rules", ""),
    "unknown provider": ("providers: [corp]", "providers: [crop]", "resources[0].providers[0]", "unknown provider", "`corp`"),
    "no providers": ("providers: [corp]", "providers: []", "resources[0].providers", "empty", ""),
    "two providers of one name": ("resources:\n", SECOND.replace("second", "corp"), "providers[1].name", "two providers", ""),
    "two providers of one issuer": ("resources:\n", SECOND.replace("two.", "id."), "providers[1].issuer", "this issuer", ""),
    "tenants unsaid": ("resources:\n  - name: crm", SECOND.replace("'}", "', roles: any}") + "  - name: crm", "resources[0].providers[1]", "leaves `tenants` unsaid", "any"),
    "roles unsaid": ("resources:\n  - name: crm", SECOND.replace("'}", "', tenants: any}") + "  - name: crm", "resources[0].providers[1]", "leaves `roles` unsaid", "any"),
    "tenants empty": ("tenants: any", "tenants: []", "providers[0].tenants", "empty", ""),
    "tenant required and not mapped": ("    claims: {tenant: tenantId}\n", "    claims: {}\n", "resources[0].require_tenant", "maps none", "claims.tenant"),
    "tenants without mapping": ("    claims: {tenant: tenantId}\n", "    claims: {}\n", "providers[0].claims", "none is mapped", "claims.tenant"),
    "issuer over http": ("https://id", "http://id", "providers[0].issuer", "not https", "loopback"),
    "issuer on loopback": ("https://id.example.com/", "https://127.0.0.1/", "providers[0].issuer", "loopback", "insecure_issuer"),
    "issuer with a user": ("https://id", "https://u:hunter2@id", "providers[0].issuer", "user", ""),
    "issuer with a query": ("id.example.com/", "id.example.com/?a=b", "providers[0].issuer", "not a URL", ""),
    "algorithm none": ("tenants: any", "tenants: any\n    algorithms: [none]", "providers[0].algorithms[0]", "not an algorithm", "ES256"),
    "algorithm HS256": ("tenants: any", "tenants: any\n    algorithms: [HS256]", "providers[0].algorithms[0]", "not an algorithm", ""),
    "token type of an assertion": ("tenants: any", "tenants: any\n    token_types: [oauth-id-jag+jwt]", "providers[0].token_types[0]", "not a type", ""),
    "cooldown of nothing": ("tenants: any", "tenants: any\n    jwks: {cooldown: 0s}", "providers[0].jwks.cooldown", "zero", ""),
    "two resources of one name": ("name: billing", "name: crm", "resources[1].name", "two resources", ""),
    "two resources at one url": ("mcp.example.com/billing", "mcp.example.com:443/crm", "resources[1].url", "same url", "its own path"),
    "url in capitals": ("mcp.example.com/crm", "MCP.example.com/crm", "resources[0].url", "not the URL", "lower-case"),
    "url with a dot at the end": ("mcp.example.com/crm", "mcp.example.com./crm", "resources[0].url", "not the URL", ""),
    "url with a user": ("mcp.example.com/crm", "u@mcp.example.com/crm", "resources[0].url", "not the URL", ""),
    "url over http": ("https://mcp.example.com/crm", "http://mcp.example.com/crm", "resources[0].url", "loopback only", ""),
    "url with a slash at the end": ("/crm/mcp", "/crm/", "resources[0].url", "canonical", ""),
    "url with an escape": ("/crm/mcp", "/crm/%2e", "resources[0].url", "canonical", ""),
    "url with dot segments": ("/crm/mcp", "/crm/../mcp", "resources[0].url", "canonical", ""),
    "url where metadata is": ("/crm/mcp", "/.well-known/oauth-protected-resource/x", "resources[0].url", "metadata", ""),
    "unsigned": ("    insecure_unsigned: true\n  - name: b", "  - name: b", "resources[0]", "would not be signed", "signing_keys"),
    "signed and unsigned": ("insecure_unsigned: true", f"insecure_unsigned: true\n    {KEYS}", "resources[0].insecure_unsigned", "as well", "one of the two"),
    "keys empty": ("insecure_unsigned: true", "signing_keys: []", "resources[0].signing_keys", "empty", ""),
    "one key twice": ("insecure_unsigned: true", "signing_keys: [{id: k, secret_file: /a}, {id: k, secret_file: /b}]", "resources[0].signing_keys[1].id", "two keys", ""),
    "condition with a mistake": (None, POLICY.replace("tools:", "when: ['1 +'], tools:") % "", "policies[0].when[0]", "column 4: Syntax error", "docs/policies.md"),
    "condition on an unknown name": (None, POLICY.replace("tools:", "when: ['user.role == 1'], tools:") % "", "policies[0].when[0]", "nothing is called `user.role`", "did you mean `user.roles`"),
    "condition of another type": (None, POLICY.replace("tools:", "when: ['user.roles == 1'], tools:") % "", "policies[0].when[0]", "no matching overload", ""),
    "condition on annotations": (None, "tools: {pinning: off}\n" + POLICY.replace("tools:", "when: ['tool.annotations.readOnlyHint'], tools:") % "", "policies[0].when[0]", "so no definition has `tool.annotations`", "observe"),
    "condition on a claim of nobody": (None, POLICY.replace("tools:", "when: ['user.country == \"DE\"'], tools:") % "", "policies[0].when[0]", "no provider says where `user.country` is", "claims.country"),
    "condition on a country of nobody": (None, POLICY.replace("tools:", "when: ['request.country == \"DE\"'], tools:") % "", "policies[0].when[0]", "where `request.country` comes from", "country_header"),
    "condition that is a value": (None, POLICY.replace("tools:", "when: ['user.subject'], tools:") % "", "policies[0].when[0]", "says `string`", "compare it"),
    "condition of a tenant": (None, "tenants: {acme: {policies: [{name: q, state: enforce, when: ['1 +'], then: deny}]}}\n", "tenants.acme.policies[0].when[0]", "column 4", ""),
    "acr of two words": (None, POLICY.replace("then: deny", "then: step_up, step_up: {acr: ['a b']}") % "", "policies[0].step_up.acr[0]", "not one word", "without spaces"),
    "signatures good for an hour": ("version: 1", "version: 1\nsigning: {expires: 1h}", "signing.expires", "five minutes", "60s"),
    "signatures good for no time": ("version: 1", "version: 1\nsigning: {expires: 500ms}", "signing.expires", "one second", "60s"),
    "component signed anyway": ("version: 1", "version: 1\nsigning: {components: ['@path']}", "signing.components[0]", "signed already", "leave it out"),
    "component twice": ("version: 1", "version: 1\nsigning: {components: ['accept', 'accept']}", "signing.components[1]", "signed already", "leave it out"),
    "component of an answer": ("version: 1", "version: 1\nsigning: {components: ['@status']}", "signing.components[0]", "not a derived component", "@authority"),
    "component in capitals": ("version: 1", "version: 1\nsigning: {components: ['Accept']}", "signing.components[0]", "lower case", "write the header"),
    "component with parameters": ("version: 1", "version: 1\nsigning: {components: ['accept;sf']}", "signing.components[0]", "without parameters", ""),
    "component that changes": ("version: 1", "version: 1\nsigning: {components: ['content-length']}", "signing.components[0]", "does not always arrive", ""),
    "component that signs itself": ("version: 1", "version: 1\nsigning: {components: ['signature']}", "signing.components[0]", "does not always arrive", ""),
    "component that is not forwarded": (None, "signing: {components: ['x-a']}\n", "signing.components[0]", "not forwarded to `crm`", "forward_headers"),
    "origin of everybody": ("insecure_unsigned: true", "insecure_unsigned: true\n    origins: ['*']", "resources[0].origins[0]", "not an origin", ""),
    "scope of two words": ("insecure_unsigned: true", "insecure_unsigned: true\n    scopes: ['a b']", "resources[0].scopes[0]", "not a scope", ""),
    "method with a target": ("insecure_unsigned: true", "insecure_unsigned: true\n    methods: {tools/call: allow}", "resources[0].methods.tools/call", "names a target", "access rules"),
    "method of tasks": ("insecure_unsigned: true", "insecure_unsigned: true\n    methods: {tasks/get: allow}", "resources[0].methods.tasks/get", "names a target", ""),
    "header of ours": ("insecure_unsigned: true", "insecure_unsigned: true\n    forward_headers: [agen-subject]", "resources[0].forward_headers[0]", "cannot be forwarded", ""),
    "upstream path": ("insecure_unsigned: true", "insecure_unsigned: true\n    upstream_path: mcp", "resources[0].upstream_path", "not a path", "/mcp"),
    "upstream path with a query": ("insecure_unsigned: true", "insecure_unsigned: true\n    upstream_path: /mcp?a=1", "resources[0].upstream_path", "not a path without query", "/mcp"),
    "clients empty": ("insecure_unsigned: true", "insecure_unsigned: true\n    clients: []", "resources[0].clients", "empty", ""),
    "gRPC beyond loopback": ("authz: 127.0.0.1", "authz: 0.0.0.0", "server.authz", "mutual TLS", "server.tls"),
    "native with TLS": ("  authz", "  engine: native\n  tls: {cert_file: a, key_file: b, client_ca_file: c}\n  authz", "server.engine", "no TLS", "grpcio"),
    "native beyond loopback": ("  authz: 127.0.0.1", "  engine: native\n  insecure_plaintext: true\n  authz: 10.0.0.1", "server.authz", "no TLS", ""),
    "address without a port": ("127.0.0.1:9191", "127.0.0.1", "server.authz", "not an address", ""),
    "metrics on a socket": ("  authz", "  ops: unix:///o.sock\n  authz", "server.ops", "not an address", ""),
    "store slower than Check": (None, "limits: {store_timeout: 2s}\n", "limits.store_timeout", "check_timeout", ""),
    "depth without bound": (None, "limits: {json_depth: 100000}\n", "limits.json_depth", "200", ""),
    "network": ('"10.0.0.0/8"', '"10.0.0.1/8"', "networks.office[0]", "not a range", "CIDR"),
    "network that is mapped": ('"10.0.0.0/8"', '"::ffff:203.0.113.0/120"', "networks.office[0]", "IPv4 range written as IPv6", "write `203.0.113.0/24`"),
    "address in two spellings": (None, POLICY % """, when: ['request.ip == "::FFFF:192.0.2.7"']""", "policies[0].when[0]", "no address is spelt `::FFFF:192.0.2.7`", "`192.0.2.7`"),
    "address that is none": (None, POLICY % """, when: ['request.ip in ["192.0.2.7", "192.0.2"]']""", "policies[0].when[0]", "no address is spelt `192.0.2`", "such as"),
    "address with zeros": (None, POLICY % """, when: ['"2001:db8:0::1" != request.ip']""", "policies[0].when[0]", "no address is spelt", "`2001:db8::1`"),
    "range as an address": (None, POLICY % """, when: ['request.ip == "10.0.0.0/8"']""", "policies[0].when[0]", "no address is spelt", "`networks`"),
    "URI in another spelling": (None, POLICY % """, when: ['tool.name == "docs://hr/x/"']""", "policies[0].when[0]", "not spelt as a backend opens it", "`docs://hr/x`"),
    "network empty": ('["10.0.0.0/8"]', "[]", "networks.office", "empty", ""),
    "country of nobody": (None, "country_header: cf-ipcountry\n", "country_header", "no trusted proxy can send it", ""),
    "unknown network": (None, POLICY % """, when: ['"home" in request.networks']""", "policies[0].when[0]", "unknown network `home`", ""),
    "unknown flow": (None, POLICY.replace("deny", "require_approval") % ", flow: x", "policies[0].flow", "unknown flow", ""),
    "approval without flow": (None, POLICY.replace("deny", "require_approval") % "", "policies[0]", "do not go together", ""),
    "step-up of nothing": (None, POLICY.replace("deny", "step_up") % ", step_up: {}", "policies[0].step_up", "demands nothing", ""),
    "two policies of one name": (None, "policies: [{name: p, state: enforce, then: deny}, {name: p, state: shadow, then: deny}]\n", "policies[1].name", "two policies", ""),
    "state unsaid": (None, "policies: [{name: p, then: deny}]\n", "policies[0].state", "missing", ""),
    "unknown detector": (None, "data_protection: [{name: d, state: enforce, detectors: {add: [shoe_size]}}]\n", "data_protection[0].detectors.add[0]", "unknown detector", ""),
    "presets empty": (None, "data_protection: [{name: d, state: enforce, presets: []}]\n", "data_protection[0].presets", "empty", ""),
    "hook slower than Check": (None, "hooks: [{name: h, state: enforce, on: call, url: 'https://h', timeout: 2s}]\n", "hooks[0].timeout", "check_timeout", ""),
    "quorum of nobody": (None, FLOW % (", quorum: 0", "", ""), "approvals.flows[0].steps[0].quorum", "no approver would have to approve", ""),
    "quorum beyond approvers": (None, FLOW % (", quorum: 2", "", ""), "approvals.flows[0].steps[0].quorum", "more than", ""),
    "nobody may approve": (None, FLOW.replace("emails: [a@example.com]", "") % ("", "", ""), "approvals.flows[0].steps[0].approvers", "no approver is listed", ""),
    "silence approves": (None, FLOW % ("", ", on_timeout: approve", ""), "approvals.flows[0].on_timeout", "would approve", "low_risk"),
    "hold longer than Check": (None, FLOW % ("", "", ", hold: 5s"), "approvals.hold", "check_timeout", ""),
    "console of an unknown provider": (None, "console: {provider: x, client_id: c, client_secret_file: /s}\n", "console.provider", "unknown provider", ""),
    "sinks empty": (None, "audit: {sinks: []}\n", "audit.sinks", "empty", ""),
    "sink without its place": (None, "audit: {sinks: [{name: f, type: file}]}\n", "audit.sinks[0]", "needs `path`", ""),
    "store given twice": (None, "store: {url: 'sqlite:////a', url_env: A}\n", "store", "twice", ""),
}  # fmt: skip
ALSO = {
    "tenant required and not mapped": ("insecure_unsigned: true", "insecure_unsigned: true\n    require_tenant: true"),
    "tenants without mapping": ("access:\n", "tenants: {acme: {policies: []}}\naccess:\n"),
    "tenants unsaid": ("[corp]", "[corp, second]"),
    "roles unsaid": ("[corp]", "[corp, second]"),
    "component that is not forwarded": ("insecure_unsigned: true", KEYS),
}


def problems_of(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    file = tmp_path / "agen.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, secrets=False, environ={})
    return caught.value.problems


def test_components_that_arrive_are_taken(tmp_path):
    file, signed = tmp_path / "agen.yaml", GOOD.replace("insecure_unsigned: true", KEYS, 1)
    signed = signed.replace(KEYS, f"{KEYS}\n    forward_token: true\n    resumable: true\n    forward_headers: [X-A]")
    names = ["@authority", '@query-param;name="a"', "accept", "x-a", "authorization", "last-event-id"]
    names += ["mcp-param-a", "mcp-session-id", "content-type"]
    file.write_text(f"{signed}signing: {{components: {names!r}}}\n", "utf-8")
    assert load(file, secrets=False, environ={}).config.signing.components == tuple(names)


def test_good_one_is_good(tmp_path):
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD, "utf-8")
    assert load(file, environ={}).config.resources[0].name == "crm"


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named_with_its_cure(tmp_path, name):
    old, new, path, message, cure = MISTAKES[name]
    text = GOOD + new if old is None else GOOD.replace(old, new, 1)
    assert text != GOOD
    if name in ALSO:
        text = text.replace(*ALSO[name], 1)
    found = [problem for problem in problems_of(tmp_path, text) if problem.path == path]
    assert found, problems_of(tmp_path, text)
    (problem, *_) = found
    assert message in problem.message
    assert cure in problem.cure and problem.cure
    assert problem.line is not None
    assert "\n" not in str(problem) and not problem.message[:1].isupper()


def test_line_is_that_of_the_key(tmp_path):
    text = GOOD.replace("allow: [analyst]", "allow: []").replace("https://id", "http://id")
    assert [(problem.line, problem.path) for problem in problems_of(tmp_path, text)] == [
        (8, "providers[0].issuer"),
        (26, "access.rules[0].allow"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "client_secret: hunter2-canary\n",
        GOOD.replace("https://id", "https://u:hunter2-canary@id"),
        GOOD + "server: hunter2-canary\n",
        GOOD.replace("mapping: roles", "mapping: hunter2-canary"),
        GOOD + "store: {url: 5, url_env: [hunter2-canary]}\n",
        GOOD + "x: 'hunter2-canary\n",
        GOOD + "audit: {denials_per_second: hunter2-canary}\n",
    ],
)
def test_nothing_that_may_be_a_secret_is_shown(tmp_path, text):
    assert "canary" not in "\n".join(str(problem) for problem in problems_of(tmp_path, text))


@pytest.mark.parametrize("text", ["", "- a\n", "5\n", "null\n", "\t", "a: b: c", "\x00", "? [a]\n: 1\n"])
def test_text_that_is_not_a_configuration_is_one_problem_or_more(tmp_path, text):
    assert problems_of(tmp_path, text)


def test_file_that_is_not_utf8_is_named_with_its_line(tmp_path):
    file = tmp_path / "agen.yaml"
    file.write_bytes(GOOD.encode() + b"# caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert caught.value.problems[0].line == GOOD.count("\n") + 1


def test_file_that_is_too_large_is_refused(tmp_path):
    assert "4 MiB" in problems_of(tmp_path, "#" * (4 << 20) + "\n")[0].message


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", environ={})
    assert "cannot be read" in str(caught.value)


@given(st.binary(max_size=400))
def test_any_bytes_load_or_are_refused(tmp_path_factory, raw):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError):
        load(file, secrets=False, environ={})


@given(st.integers(0, len(GOOD) - 1), st.text(max_size=8), st.integers(0, 12))
def test_any_change_loads_or_is_refused(tmp_path_factory, at, inserted, removed):
    file = tmp_path_factory.getbasetemp() / "changed.yaml"
    file.write_bytes((GOOD[:at] + inserted + GOOD[at + removed :]).encode("utf-8", "surrogatepass"))
    try:
        load(file, secrets=False, environ={})
    except ConfigError as exc:
        assert exc.problems
