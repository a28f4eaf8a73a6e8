"""Keys that contradict each other or cannot mean anything: each is refused, and what is close to it is not."""

# ruff: noqa: E501 one row per mistake, read as a table

import pytest

from agen_authz.config import load
from tests.config.test_mistakes import FLOW, GOOD, KEYS, POLICY, problems_of

UNSIGNED = "insecure_unsigned: true"
RULE = "data_protection: [{name: d, state: enforce, %s}]\n"
CUSTOM = RULE % "custom: [{name: c, pattern: '%s'}]"
SINK = "audit: {sinks: [{name: s, %s}]}\n"
EMAILS = FLOW.replace("[a@example.com]", "[a@example.com, A@EXAMPLE.com]")
TEMPLATE = "https://id.example.com/{tenantid}/v2.0"
PLAIN = "    issuer: https://id.example.com/\n    claims: {tenant: tenantId}\n    tenants: any\n    roles: any\n"
STEP_UP = POLICY.replace("deny", "step_up")


def resource(more: str) -> tuple[str, str]:
    return UNSIGNED, f"{UNSIGNED}\n    {more}"


def provider(more: str) -> tuple[str, str]:
    return "tenants: any", f"tenants: any\n    {more}"


def template(
    tenants: str,
    *,
    tenant: str = "tid",
    advertised: str = "https://id.example.com/any",
    issuer: str = TEMPLATE,
    more: str = "",
) -> tuple[str, str]:
    """Write a provider whose issuer holds the tenant, instead of the one that there is."""
    lines = [f"issuer: '{issuer}'", f"claims: {{tenant: {tenant}}}", tenants, "roles: any"]
    lines += [f"advertised_issuer: '{advertised}'"] if advertised else []
    return PLAIN, "".join(f"    {line}\n" for line in lines if line) + more


def server(more: str) -> tuple[str, str]:
    return "  authz", f"  {more}\n  authz"


def at_url(url: str) -> tuple[str, str]:
    return "https://mcp.example.com/crm/mcp", url


def at_urls(crm: str, billing: str) -> tuple[str, str]:
    old = GOOD[GOOD.index("https://mcp.example.com/crm/mcp") : GOOD.index("/billing/mcp") + len("/billing/mcp")]
    new = old.replace("https://mcp.example.com/crm/mcp", crm).replace("https://mcp.example.com/billing/mcp", billing)
    return old, new


# name: (what is replaced, or None to append; by what; path; part of the message; part of the cure)
MISTAKES: dict[str, tuple[str | None, str, str, str, str]] = {
    # ---- server
    "two listeners on one address": (*server("proc: 127.0.0.1:9191"), "server.proc", "`server.authz` listens there", "port"),
    "port beyond the last": (*server("ops: 127.0.0.1:65536"), "server.ops", "not an address", "host:port"),
    "port of zero": (*server("ops: 127.0.0.1:0"), "server.ops", "not an address", ""),
    "port in other digits": (*server("ops: '127.0.0.1:٨٠'"), "server.ops", "not an address", ""),
    "no host": (*server("ops: ':9464'"), "server.ops", "not an address", ""),
    "host with a space": (*server("ops: 'a b:9464'"), "server.ops", "not an address", ""),
    "gRPC at a name": ("127.0.0.1:9191", "localhost:9191", "server.authz", "beyond loopback", "127.0.0.1"),
    "gRPC below localhost": (*server("proc: x.localhost:9192"), "server.proc", "beyond loopback", "127.0.0.1"),
    "name in brackets": (*server("ops: '[localhost]:9464'"), "server.ops", "not an address", "[::1]"),
    "socket without a path": (*server("proc: 'unix:///'"), "server.proc", "this can listen on", "unix:///path"),
    "socket of a relative path": (*server("proc: 'unix:run/a.sock'"), "server.proc", "this can listen on", ""),
    "socket of a long path": (*server(f"proc: unix:///{'a' * 107}"), "server.proc", "this can listen on", "107"),
    "gRPC on every address": (*server("proc: '[::]:9192'"), "server.proc", "mutual TLS", "insecure_plaintext"),
    "second worker on another's address": (*server("filter_workers: 2\n  proc: 127.0.0.1:9463\n  ops: 127.0.0.1:9464"), "server.filter_workers", "`127.0.0.1:9464`, where `server.ops` listens", "move `server.ops`"),
    "second worker beyond the last port": (*server("filter_workers: 2\n  proc: 127.0.0.1:65535"), "server.filter_workers", "`127.0.0.1:65536`, which is not an address", "fewer"),
    "tenth worker with a long path": (*server(f"filter_workers: 64\n  proc: unix:///{'a' * 101}.sock"), "server.filter_workers", "-2.sock`, which is not", "fewer"),
    "more workers than there may be": (*server("filter_workers: 65"), "server.filter_workers", "64", ""),
    "header of the country": (None, "country_header: a_b\ntrusted_proxies: ['10.0.0.0/8']\n", "country_header", "header", "cf-ip"),
    "trusted proxies": (None, "trusted_proxies: [everybody]\n", "trusted_proxies[0]", "range", "CIDR"),
    "trusted proxies that are mapped": (None, "trusted_proxies: ['::ffff:0:0/96']\n", "trusted_proxies[0]", "IPv4 range", "`0.0.0.0/0`"),
    "country without proxies": (None, "country_header: x\ntrusted_proxies: []\n", "country_header", "no trusted proxy", "trusted_proxies"),
    "size of nothing": (None, "limits: {request_bytes: 0B}\n", "limits.request_bytes", "a size", ""),
    "end that is not the last": (None, "end: true\nrevoked: {}\n", "end", "not the last key", "move it"),
    "end that is false": (None, "end: false\n", "end", "`true` is all", "leave it out"),
    "end of nothing": (None, "end:\n", "end", "`true` is all", "leave it out"),
    # ---- providers
    "issuer without a host": ("https://id.example.com/", "https:///x", "providers[0].issuer", "not a URL", "https://"),
    "issuer with a dot at the end": ("id.example.com/", "id.example.com./", "providers[0].issuer", "not a URL", ""),
    "issuer as a short address": ("id.example.com/", "127.1/", "providers[0].issuer", "not a URL", ""),
    "issuer as a number": ("id.example.com/", "2130706433/", "providers[0].issuer", "not a URL", ""),
    "issuer with a fragment": ("id.example.com/", "id.example.com/#", "providers[0].issuer", "not a URL", ""),
    "issuer with a strange port": ("id.example.com/", "id.example.com:0443/", "providers[0].issuer", "not a URL", ""),
    "issuer without a port": ("id.example.com/", "id.example.com:/", "providers[0].issuer", "not a URL", ""),
    "issuer with a port of zero": ("id.example.com/", "id.example.com:0/", "providers[0].issuer", "not a URL", ""),
    "issuer with a port of a million": ("id.example.com/", "id.example.com:1000000/", "providers[0].issuer", "not a URL", ""),
    "issuer with a space": ("https://id.example.com/", "'https://id.example.com/ x'", "providers[0].issuer", "not a URL", ""),
    "issuer beyond ASCII": ("id.example.com/", "ïd.example.com/", "providers[0].issuer", "not a URL", ""),
    "issuer by its OpenID metadata": (
        "id.example.com/", "id.example.com/a/.well-known/openid-configuration", "providers[0].issuer",
        "metadata, not its issuer", "https://id.example.com/a or https://id.example.com/a/",
    ),
    "issuer by its OAuth metadata": (
        "id.example.com/", "id.example.com/.well-known/oauth-authorization-server/a", "providers[0].issuer",
        "metadata, not its issuer", "https://id.example.com/a or",
    ),
    "advertised issuer by its metadata": (
        *provider("advertised_issuer: https://a.example.com/.well-known/openid-configuration"),
        "providers[0].advertised_issuer", "metadata, not its issuer", "https://a.example.com or https://a.example.com/",
    ),
    "issuer on IPv6 loopback": ("https://id.example.com/", "'https://[::1]/'", "providers[0].issuer", "loopback", ""),
    "issuer at localhost": ("id.example.com/", "localhost/", "providers[0].issuer", "loopback", ""),
    "issuer below localhost": ("id.example.com/", "id.localhost/", "providers[0].issuer", "below localhost", "write localhost"),
    "issuer below localhost in a demo": ("https://id.example.com/", "http://id.localhost/\n    insecure_issuer: true", "providers[0].issuer", "below localhost", "write localhost"),
    "keys over http": (*provider("jwks_uri: http://id.example.com/k"), "providers[0].jwks_uri", "not https", ""),
    "insecure beyond loopback": ("https://id.example.com/", "http://id.example.com/\n    insecure_issuer: true", "providers[0].issuer", "not https", "loopback only"),
    "assertion as token type": (*provider("token_types: [application/oauth-ID-JAG+jwt]"), "providers[0].token_types[0]", "not a type", "leave"),
    "no token types": (*provider("token_types: []"), "providers[0].token_types", "empty", ""),
    "no algorithms": (*provider("algorithms: []"), "providers[0].algorithms", "empty", ""),
    "algorithm in small letters": (*provider("algorithms: [es256]"), "providers[0].algorithms[0]", "not an algorithm", "ES256"),
    "claim without a path": ("tenant: tenantId", "roles: []", "providers[0].claims.roles", "empty", ""),
    "claim with an empty step": ("tenant: tenantId", "roles: a..b", "providers[0].claims.roles", "not the path", "JSON pointer"),
    "claim with a bad escape": ("tenant: tenantId", "roles: [a, /b~2]", "providers[0].claims.roles", "not the path", ""),
    "tenants that are not listed": (*template("tenants: any"), "providers[0].issuer", "none is listed", "`tenants`"),
    "tenants that are left out": (*template(""), "providers[0].issuer", "none is listed", "`tenants`"),
    "tenant that is no part of a URL": (*template("tenants: [a/b]"), "providers[0].tenants", "into the issuer", "letters"),
    "tenant of another claim": (*template("tenants: [a]", tenant="tenantId"), "providers[0].claims", "not the tenant", "tid"),
    "template that clients would see": (*template("tenants: [a]", advertised=""), "providers[0].issuer", "cannot sign in", "advertised_issuer"),
    "template in the host": (*template("tenants: [a]", issuer="https://{tenantid}.example.com/v2.0"), "providers[0].issuer", "not once in its path", "{tenantid}/v2.0"),
    "template twice": (*template("tenants: [a]", issuer="https://id.example.com/{tenantid}/{tenantid}"), "providers[0].issuer", "not once in its path", ""),
    "template of another name": (*template("tenants: [a]", issuer="https://id.example.com/{tenant}/v2.0"), "providers[0].issuer", "not a URL", ""),
    "template that is advertised": (*template("tenants: [a]", advertised="https://id.example.com/{tenantid}"), "providers[0].advertised_issuer", "not a URL", ""),
    "issuer that a template holds already": (*template("tenants: [a, b]", more="  - {name: b, issuer: 'https://id.example.com/b/v2.0', tenants: any, roles: any}\n"), "providers[1].issuer", "two providers", "one"),
    "keys of a claim without a path": ("tenant: tenantId", "tenant: tenantId, roles: {keys: true}", "providers[0].claims.roles.path", "missing", "add `path`"),
    "keys of a claim with an empty step": ("tenant: tenantId", "tenant: tenantId, roles: {path: a..b, keys: true}", "providers[0].claims.roles", "not the path", "JSON pointer"),
    "keys of a subject": ("tenant: tenantId", "tenant: tenantId, subject: {path: sub, keys: true}", "providers[0].claims.subject", "expected", ""),
    # ---- resources
    "provider twice": ("[corp]", "[corp, corp]", "resources[0].providers[1]", "is listed twice", "one of the two"),
    "url that differs by its query": (*at_url("https://mcp.example.com/billing/mcp?x=1"), "resources[1].url", "`crm` has the same url", ""),
    "url at the root of another": (*at_url("https://mcp.example.com/billing/mcp/"), "resources[0].url", "canonical", ""),
    "url with an empty query": (*at_url("https://mcp.example.com/crm/mcp?"), "resources[0].url", "no client would send", "question mark"),
    "url with an apostrophe": (*at_url("\"https://mcp.example.com/crm/mcp?t='a'\""), "resources[0].url", "no client would send", "%27"),
    "url of https at the port of http": (*at_url("https://mcp.example.com:80/crm/mcp"), "resources[0].url", "port 80 is not the one of https", "another port"),
    "url of http at the port of https": (*at_url("http://localhost:443/crm/mcp"), "resources[0].url", "port 443 is not the one of http", "another port"),
    "two urls that a slash tells apart": (*at_urls("https://a.example/", "https://a.example"), "resources[1].url", "`crm` has the same url", ""),
    "http below localhost": (*at_url("http://crm.localhost/mcp"), "resources[0].url", "http is for loopback", ""),
    "url with a fragment": (*at_url("https://mcp.example.com/crm#"), "resources[0].url", "not the URL", "fragment"),
    "url of another scheme": (*at_url("ftp://mcp.example.com/crm"), "resources[0].url", "not the URL", ""),
    "url without a scheme": (*at_url("//mcp.example.com/crm"), "resources[0].url", "not the URL", ""),
    "url as a short address": (*at_url("https://10.1/crm"), "resources[0].url", "not the URL", ""),
    "url with two dots": (*at_url("https://mcp..example.com/crm"), "resources[0].url", "not the URL", ""),
    "url with a strange port": (*at_url("https://mcp.example.com:08443/crm"), "resources[0].url", "not the URL", ""),
    "url with an unclosed bracket": (*at_url("'https://[::1/crm'"), "resources[0].url", "not the URL", ""),
    "url with IPv6 written long": (*at_url("'https://[0:0:0:0:0:0:0:1]/crm'"), "resources[0].url", "not the URL", ""),
    "url with two slashes": (*at_url("https://mcp.example.com//crm"), "resources[0].url", "canonical", ""),
    "url with an escaped letter": (*at_url("https://mcp.example.com/%63rm"), "resources[0].url", "canonical", ""),
    "url with a backslash": (*at_url("'https://mcp.example.com/a\\b'"), "resources[0].url", "not the URL", ""),
    "url of metadata": (*at_url("https://mcp.example.com/.well-known/oauth-protected-resource"), "resources[0].url", "metadata", ""),
    "origin of nobody": (*resource("origins: ['null']"), "resources[0].origins[0]", "not an origin", ""),
    "origin with a path": (*resource("origins: ['https://a.example/']"), "resources[0].origins[0]", "not an origin", ""),
    "origin in capitals": (*resource("origins: ['https://A.example']"), "resources[0].origins[0]", "not an origin", ""),
    "origin with a default port": (*resource("origins: ['https://a.example:443']"), "resources[0].origins[0]", "not an origin", "no default port"),
    "origin with a pattern": (*resource("origins: ['https://*.example']"), "resources[0].origins[0]", "not an origin", ""),
    "header with an underscore": (*resource("forward_headers: [a_b]"), "resources[0].forward_headers[0]", "cannot be", ""),
    "header with a letter that is ASCII in lower case only": (
        *resource('forward_headers: ["x-\u212a"]'), "resources[0].forward_headers[0]", "cannot be", ""
    ),
    "header of the token": (*resource("forward_headers: [Authorization]"), "resources[0].forward_headers[0]", "cannot be", ""),
    "header of another path": (*resource("forward_headers: [x-original-url]"), "resources[0].forward_headers[0]", "cannot be", ""),
    "method that is none": (*resource("methods: {'a b': allow}"), "resources[0].methods.a b", "not a method", ""),
    "pattern of methods": (*resource("methods: {'tools/*': allow}"), "resources[0].methods.tools/*", "not a method", ""),
    **{
        f"method {method}": (*resource(f"methods: {{{method}: allow}}"), f"resources[0].methods.{method}", "names a target", "")
        for method in (
            "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe", "completion/complete",
            "subscriptions/listen", "tasks/list", "tasks/new",
        )
    },
    # ---- rules and policies
    "server in capitals": ("crm/get_*", "CRM/get_*", "access.rules[0].tools[0]", "no resource is called `CRM`", "`crm`"),
    "server by a pattern": ("crm/get_*", "x*/get_*", "access.rules[0].tools[0]", "no resource", ""),
    "server of any depth": ("crm/get_*", "**/get_*", "access.rules[0].tools[0]", "not a selector", ""),
    "three stars": ("crm/get_*", "crm/***", "access.rules[0].tools[0]", "not a selector", ""),
    "tool with dot segments": ("crm/get_*", "crm/a/../b", "access.rules[0].tools[0]", "no tool", ""),
    "resource without a scheme": ('tools: ["crm/get_*"]', 'resources: ["crm/customer"]', "access.rules[0].resources[0]", "URI", "customer://"),
    "resource with a space": ('tools: ["crm/get_*"]', 'resources: ["crm/a: *"]', "access.rules[0].resources[0]", "URI", ""),
    "prompt in another form": ('tools: ["crm/get_*"]', 'prompts: ["crm/ﬁ*"]', "access.rules[0].prompts[0]", "no prompt", "NFKC"),
    "selector of a policy": (None, POLICY.replace("crm/x", "nowhere/x") % "", "policies[0].tools[0]", "no resource", ""),
    "policy of a tenant that is called as another": (None, POLICY % "" + "tenants: {acme: {policies: [{name: p, state: enforce, then: deny}]}}\n", "tenants.acme.policies[0].name", "two policies", ""),
    "flow without approval": (None, POLICY % ", flow: f" + FLOW % ("", "", ""), "policies[0]", "do not go together", "require_approval"),
    "demand without step-up": (None, POLICY % ", step_up: {amr: [hwk]}", "policies[0]", "do not go together", "step_up"),
    "step-up without a demand": (None, STEP_UP % "", "policies[0]", "do not go together", ""),
    "no authentication contexts": (None, STEP_UP % ", step_up: {acr: [], max_age: 1m}", "policies[0].step_up.acr", "empty", ""),
    "no authentication methods": (None, STEP_UP % ", step_up: {amr: []}", "policies[0].step_up.amr", "empty", ""),
    "scope of a demand": (None, STEP_UP % ", step_up: {scope: 'a b'}", "policies[0].step_up.scope", "not a scope", ""),
    "scope that is asked for by two words": (
        None, STEP_UP % ", step_up: {scope: {name: a, request_as: 'api://x/a b'}}",
        "policies[0].step_up.scope.request_as", "not a scope", "one word",
    ),
    "scope of a demand with nothing to ask for": (
        None, STEP_UP % ", step_up: {scope: {name: a}}", "policies[0].step_up.scope.request_as", "required key", "",
    ),
    "scope of a resource that is asked for by two words": (
        *resource("scopes: [{name: a, request_as: 'b\"'}]"), "resources[0].scopes[0].request_as", "not a scope", "",
    ),
    "scope of a resource with a quote": (
        *resource("scopes: [{name: 'a\"', request_as: b}]"), "resources[0].scopes[0].name", "not a scope", "",
    ),
    "no age": (None, STEP_UP % ", step_up: {max_age: 0s}", "policies[0].step_up.max_age", "longer than zero", ""),
    "no conditions": (None, POLICY % ", when: []", "policies[0].when", "empty", ""),
    "network in the other quotes": (None, POLICY % """, when: ["1 == 1 && 'home' in request.networks"]""", "policies[0].when[0]", "`home`", "networks"),
    "hook at no URL": (None, "hooks: [{name: h, state: enforce, on: call, url: 'mail:x'}]\n", "hooks[0].url", "not the URL", "grpcs://"),
    "hook with a user": (None, "hooks: [{name: h, state: enforce, on: call, url: 'https://u:canary@h'}]\n", "hooks[0].url", "not the URL", ""),
    "two hooks of one name": (None, "hooks: [{name: h, state: enforce, on: call, url: 'https://h'}, {name: h, state: enforce, on: list, url: 'https://h'}]\n", "hooks[1].name", "two hooks", ""),
    # ---- data protection
    "rule that looks for nothing": (None, RULE % "tools: ['crm/x']", "data_protection[0]", "looks for nothing", "presets"),
    "detector that is nearly one": (None, RULE % "detectors: {add: [credit_cards]}", "data_protection[0].detectors.add[0]", "unknown detector", "`credit_card`"),
    "detector removed that is none": (None, RULE % "presets: [pii], detectors: {remove: [shoe_size]}", "data_protection[0].detectors.remove[0]", "unknown detector", "custom"),
    "style of no detector": (None, RULE % "presets: [pii], style: {shoe_size: redact}", "data_protection[0].style.shoe_size", "unknown detector", ""),
    "style of no kind": (None, RULE % "presets: [pii], style: {email: shout}", "data_protection[0].style.email", "`redact`", ""),
    "preset of nobody": (None, RULE % "presets: [ccpa]", "data_protection[0].presets[0]", "`gdpr`", ""),
    "custom detector named like ours": (None, RULE % "custom: [{name: email, pattern: x}]", "data_protection[0].custom[0].name", "of ours", "another name"),
    "detector of Agen's that is nearly one": (None, RULE % "detectors: {add: [creditCards]}", "data_protection[0].detectors.add[0]", "unknown detector", "`credit_card`"),
    "every detector removed": (None, RULE % "detectors: {add: [us_ssn], remove: [usSsn]}", "data_protection[0]", "looks for nothing", "presets"),
    "style of a detector that is not used": (None, RULE % "presets: [pci], style: {us_ssn: redact}", "data_protection[0].style.us_ssn", "does not look for `us_ssn`", "detectors.add"),
    "style of a detector that is removed": (None, RULE % "presets: [pci], detectors: {remove: [cvv]}, style: {cvv: drop}", "data_protection[0].style.cvv", "does not look for `cvv`", "detectors.add"),
    "two styles under two names": (None, RULE % "presets: [pci], style: {credit_card: last4, creditCard: redact}", "data_protection[0].style.creditCard", "two styles for `credit_card`", "one of them"),
    "two styles of a pattern": (None, RULE % "custom: [{name: c, pattern: x, style: redact}], style: {c: last4}", "data_protection[0].style.c", "two styles for `c`", "one of them"),
    "security code that is shown": (None, RULE % "presets: [pci], style: {cvv: last4}", "data_protection[0].style.cvv", "PCI DSS", "`drop`"),
    "track that is redacted": (None, RULE % "presets: [pci], style: {card_track: redact}", "data_protection[0].style.card_track", "PCI DSS", "`drop`"),
    "hash without a key": (None, RULE % "presets: [pci], style: {credit_card: hash}", "data_protection[0].style.credit_card", "needs a key", "masking_keys"),
    "default that needs a key": (None, RULE % "presets: [pci], style: {default: tokenize}", "data_protection[0].style.default", "needs a key", "masking_keys"),
    "pattern whose style needs a key": (None, RULE % "custom: [{name: c, pattern: x, style: hash}]", "data_protection[0].custom[0].style", "needs a key", "masking_keys"),
    "two patterns of one name in two rules": (None, "data_protection:\n  - {name: d, state: enforce, custom: [{name: c, pattern: x}]}\n  - {name: e, state: enforce, custom: [{name: c, pattern: y}]}\n", "data_protection[1].custom[0].name", "`c` is another pattern in rule `d`", "another name"),
    "two custom detectors of one name": (None, RULE % "custom: [{name: c, pattern: x}, {name: c, pattern: y}]", "data_protection[0].custom[1].name", "two detectors", ""),
    "pattern that does not compile": (None, CUSTOM % "(", "data_protection[0].custom[0].pattern", "missing )", ""),
    "pattern with a huge repeat": (None, CUSTOM % "a{99999999999999999999}", "data_protection[0].custom[0].pattern", "more than 1000 times", "braces"),
    "pattern with look-ahead": (None, CUSTOM % "a(?=b)", "data_protection[0].custom[0].pattern", "look-around", ""),
    "pattern with a back-reference": (None, CUSTOM % r"(a)\1", "data_protection[0].custom[0].pattern", "escape sequence", "back-references"),
    "pattern that matches nothing": (None, CUSTOM % "a*", "data_protection[0].custom[0].pattern", "matches the empty text", "[0-9]+"),
    "pattern of a boundary": (None, CUSTOM % r"\b", "data_protection[0].custom[0].pattern", "matches the empty text", ""),
    "pattern that is too large": (None, CUSTOM % r"\pL{900}", "data_protection[0].custom[0].pattern", "too large", "repeat less"),
    "pattern of great length": (None, CUSTOM % ("a" * 1025), "data_protection[0].custom[0].pattern", "1024", ""),
    "path that is no pointer": (None, RULE % "presets: [pii], exempt_paths: [a.b]", "data_protection[0].exempt_paths[0]", "JSON pointer", "/result"),
    "two masking keys of one name": (None, "masking_keys: [{id: m, secret_file: /a}, {id: m, secret_file: /b}]\n", "masking_keys[1].id", "two keys", ""),
    # ---- approvals, console, store
    "no flows": (None, "approvals: {flows: []}\n", "approvals.flows", "empty", ""),
    "flows without a place": (None, FLOW.replace("base_url: 'https://a.example.com', ", "") % ("", "", ""), "approvals.base_url", "flows need it", "console"),
    "flows without a key": (None, FLOW.replace("store: {encryption_key_file: /k}\n", "") % ("", "", ""), "approvals.flows", "store.encryption_key_file", "32 bytes"),
    "console with capitals": (None, FLOW.replace("https://a", "https://A") % ("", "", ""), "approvals.base_url", "not as browsers write it", "write https://a.example.com"),
    "console with a port that needs no mention": (None, FLOW.replace("a.example.com", "a.example.com:443/x/") % ("", "", ""), "approvals.base_url", "not as browsers write it", "write https://a.example.com/x"),
    "console with a query": (None, FLOW.replace("a.example.com", "a.example.com/?x=1") % ("", "", ""), "approvals.base_url", "not as browsers write it", "write https://a.example.com"),
    "console over http": (None, FLOW.replace("https://a", "http://a") % ("", "", ""), "approvals.base_url", "not a URL for people", "loopback"),
    "no steps": (None, FLOW.replace("[{name: s, approvers: {emails: [a@example.com]}%s}]", "[]%s") % ("", "", ""), "approvals.flows[0].steps", "empty", ""),
    "quorum of one person twice": (None, EMAILS % (", quorum: 2", "", ""), "approvals.flows[0].steps[0].quorum", "more than", "name more"),
    "address of nobody": (None, FLOW.replace("a@example.com", "nobody") % ("", "", ""), "approvals.flows[0].steps[0].approvers.emails[0]", "e-mail", "name@host"),
    "argument that is no pointer": (None, FLOW % ("", ", show_arguments: [amount]", ""), "approvals.flows[0].show_arguments[0]", "JSON pointer", "/amount"),
    "time of nothing": (None, FLOW.replace("4h", "0h") % ("", "", ""), "approvals.flows[0].timeout", "longer than zero", ""),
    "console without a page": (None, "console: {provider: corp, client_id: c, client_secret_file: /s}\n", "console", "needs `approvals.base_url`", "say where"),
    "admins of no role": (None, "approvals: {base_url: 'https://people.example'}\nconsole: {provider: corp, client_id: c, client_secret_file: /s, admins: {roles: []}}\n", "console.admins.roles", "empty", ""),
    "store of another kind": (None, "store: {url: 'mysql://h/d'}\n", "store.url", "not the URL of a store", "sqlite"),
    "store with a password": (None, "store: {url: 'postgresql://u:canary@h/d'}\n", "store.url", "password", "url_file"),
    # ---- evidence
    "sink with a key of another": (None, SINK % "type: stdout, path: /x", "audit.sinks[0].path", "has no `path`", "remove it"),
    "sink at no URL": (None, SINK % "type: https, url: 'http://e.example'", "audit.sinks[0].url", "not a URL", "https://"),
    "sink at no collector": (None, SINK % "type: otlp, endpoint: 'collector:4317'", "audit.sinks[0].endpoint", "not a URL", ""),
    "sink at no address": (None, SINK % "type: syslog, address: siem", "audit.sinks[0].address", "not an address", ""),
    "two sinks of one name": (None, "audit: {sinks: [{name: s, type: stdout}, {name: s, type: stdout}]}\n", "audit.sinks[1].name", "two sinks", ""),
    "traces to nowhere": (None, "telemetry: {traces: 'collector:4317'}\n", "telemetry.traces", "not the URL", "4317"),
}  # fmt: skip


def changed(old: str | None, new: str) -> str:
    text = GOOD + new if old is None else GOOD.replace(old, new, 1)
    assert text != GOOD
    return text


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named_with_its_place_and_its_cure(tmp_path, name):
    old, new, path, message, cure = MISTAKES[name]
    problems = problems_of(tmp_path, changed(old, new))
    assert [problem.path for problem in problems] == [path]
    (problem,) = problems
    assert message in problem.message
    assert problem.cure and cure in problem.cure
    assert problem.line is not None
    assert "\n" not in str(problem) and "canary" not in str(problem)


GOOD_ONES: dict[str, tuple[str | None, str]] = {
    "three workers": server("filter_workers: 3\n  proc: unix:///run/agen/proc.sock"),
    "sockets": server("proc: unix:///run/agen/proc.sock\n  tls: null"),
    "IPv6": server("proc: '[::1]:9192'"),
    "metrics for everybody": server("ops: 0.0.0.0:9464"),
    "plaintext in a mesh": server("proc: 0.0.0.0:9192\n  insecure_plaintext: true"),
    "mutual TLS": ("authz: 127.0.0.1:9191", "authz: 0.0.0.0:9191\n  tls: {cert_file: c, key_file: k, client_ca_file: a}"),
    "demo's issuer": ("https://id.example.com/", "http://127.0.0.1:10001\n    insecure_issuer: true"),
    "issuer in a container": ("id.example.com/", "identity_server:8443/"),
    "keys with a query": provider("jwks_uri: 'https://id.example.com/keys?p=a'"),
    "claims in a namespace": ("tenant: tenantId", "tenant: realm.tenant, roles: [/https:~1~1example.com~1roles, roles]"),
    "tokens without a type": provider("token_types: [absent]"),
    "http on loopback": at_url("http://127.0.0.1:10000/crm/mcp"),
    "IPv6 resource": at_url("'https://[2001:db8::1]:8443/mcp'"),
    "url of a host": at_url("https://crm.example.com"),
    "url with the scheme's own port": at_url("https://mcp.example.com:443/crm/mcp"),
    "url with a query": at_url("https://mcp.example.com/crm/mcp?tenant=a"),
    "origins": resource("origins: ['https://a.example', 'http://localhost:6274', 'vscode-webview://x']"),
    "methods": resource("methods: {ping: deny, 'x/y': allow, response: deny, '*/list': deny, 'notifications/*': deny}"),
    "headers": resource("forward_headers: [x-tenant-hint, te-st, hosting]"),
    "prompt of two words": ('tools: ["crm/get_*"]', 'prompts: ["crm/Weekly report"]'),
    "every resource": ('tools: ["crm/get_*"]', 'resources: ["crm/**", "*/customer://42", "crm/https://a.example/**"]'),
    "policy in capitals": (None, POLICY.replace("crm/x", "CRM/Delete_*") % ""),
    "address as it is spelt": (None, POLICY % """, when: ['request.ip in ["192.0.2.7", "2001:db8::7"] && user.subject == "x"']"""),
    "every IPv6 address": (None, "trusted_proxies: ['::/0', '::ffff:0:0:0/96', '::/64']\n"),
    "policy for everything": (None, "policies: [{name: p, state: shadow, then: deny, when: ['\"office\" in request.networks']}]\n"),
    "approval": (None, POLICY.replace("deny", "require_approval") % ", flow: f" + FLOW % (", quorum: 1", ", on_timeout: approve, low_risk: true", "")),
    "quorum of a role": (None, FLOW.replace("emails: [a@example.com]", "roles: [lead]") % (", quorum: 3", "", "")),
    "console on loopback": (None, FLOW.replace("https://a.example.com", "http://127.0.0.1:8080") % ("", "", "")),
    "detectors by all their names": (None, RULE % "detectors: {add: [credit_card, creditCard, CREDIT_CARD, PERSON, us_ssn]}"),
    "styles": (None, RULE % "presets: [pci], custom: [{name: c, pattern: 'ORD-[0-9]{8}'}], style: {default: hash, c: last4, creditCard: tokenize, cvvCvc: drop}" + "masking_keys: [{id: m, secret_file: /m}]\n"),
    "one pattern in two rules": (None, "data_protection:\n  - {name: d, state: enforce, custom: [{name: c, pattern: x}]}\n  - {name: e, state: enforce, custom: [{name: c, pattern: x, style: last4}]}\n"),
    "pattern of RE2": (None, CUSTOM % r"\pL+[[:digit:]]\p{Greek}\z"),
    "rules are not needed": ("  rules:\n    - name: read\n      tools: [\"crm/get_*\"]\n      allow: [analyst]\n", ""),
    "sinks": (None, "audit: {sinks: [{name: a, type: file, path: /a, rotate: 1MiB}, {name: b, type: syslog, address: 'h:1', tls: true}]}\n"),
    "no tenants' policies": (None, "tenants: {acme: {policies: []}}\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD_ONES)
def test_what_is_close_to_a_mistake_is_none(tmp_path, name):
    file = tmp_path / "agen.yaml"
    file.write_text(changed(*GOOD_ONES[name]), "utf-8")
    assert load(file, secrets=False, environ={}).config.version == 1


def test_http_and_https_at_one_authority_are_one_place(tmp_path):
    text = GOOD.replace("https://mcp.example.com/crm/mcp", "https://localhost/x").replace(
        "https://mcp.example.com/billing/mcp", "http://localhost/x"
    )
    assert [problem.path for problem in problems_of(tmp_path, text)] == ["resources[1].url"]


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        (KEYS, KEYS.replace("/a", "/b"), "resources[1].signing_keys[0].id"),
        (KEYS, KEYS.replace("k1", "k2"), "resources[1].signing_keys[0].secret_file"),
        (KEYS, KEYS.replace("k1", "k2").replace("/a", "/x/../a"), "resources[1].signing_keys[0].secret_file"),
    ],
    ids=["id", "file", "file by another way"],
)
def test_key_belongs_to_one_resource(tmp_path, first, second, path):
    text = GOOD.replace(UNSIGNED, first, 1).replace(UNSIGNED, second, 1)
    (problem,) = problems_of(tmp_path, text)
    assert (problem.path, problem.message) == (path, "the key is one of `crm` as well")
