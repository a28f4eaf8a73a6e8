"""From one configuration to another: who gains, who loses, and what widens."""

import pytest

from agen_authz.authoring.catalog import read_catalog
from agen_authz.authoring.diff import setting
from agen_authz.authoring.diff.change import Change, list_changes
from agen_authz.config import Config
from agen_authz.config import model as conf
from tests.authoring.rig import TEXT, TOOLS, draft, save

TENANTS = "tenants: {acme: {policies: [{name: own, state: enforce, tools: [crm/get_x], then: deny}]}}\n"
OPEN, EDIT = "    insecure_unsigned: true\n  - name: billing", "allow: [support]"


def access(who: str, what: str, *, gains: bool) -> Change:
    return Change(who, what, "gains access" if gains else "loses access", gains)


def of_policy(name: str, change: str, *, widens: bool) -> Change:
    return Change("policy", name, change, widens)


def of_crm(aspect: str, *, widens: bool) -> Change:
    return Change("resource", "crm", f"{aspect} changed", widens)


CLAIMS = "    claims: {tenant: tenantId}\n"
# setting: (its line where there was none, whether that widens, whether the way back does)
PROVIDER = {
    "algorithms": ("algorithms: [ES256]", False, True),
    "token_types": ("token_types: [at+jwt, JWT, absent]", True, False),
    "leeway": ("leeway: 60s", True, False),
    "max_token_age": ("max_token_age: 1h", False, True),
    "jwks_uri": ("jwks_uri: https://keys.example.com/", True, True),
    "advertised_issuer": ("advertised_issuer: https://login.example.com/", False, False),
    "jwks": ("jwks: {refresh: 5m}", False, True),
    "jwks ": ("jwks: {keep_stale: 30d}", True, False),
    "jwks  ": ("jwks: {cooldown: 60s}", False, False),
}
RESOURCE = {
    "origins": ("origins: ['https://app.example.com']", True, False),
    "resumable": ("resumable: true", True, False),
    "forward_token": ("forward_token: true", True, False),
    "forward_headers": ("forward_headers: [x-team]", True, False),
    "upstream_path": ("upstream_path: /mcp", True, True),
}
WHOLE = {
    "revoked.kids": ("revoked: {kids: [k1]}", "changed", False, True),
    "revoked.jti": ("revoked: {jti: [t1]}", "changed", False, True),
    "revoked.subjects": ("revoked: {subjects: [ann]}", "changed", False, True),
    "signing.expires": ("signing: {expires: 5m}", "changed", True, False),
    "signing.components": ("signing: {components: [x-team]}", "changed", False, True),
    "limits.json_depth": ("limits: {json_depth: 32}", "changed", False, False),
    "audit.on_full": ("audit: {on_full: drop}", "changed", True, True),
    "unruled_sample": ("unruled_sample: 5%", "changed", True, True),
    "tools.filter_lists": ("tools: {filter_lists: false}", "changed", True, False),
    # An enforced policy reads the networks that hold the caller's address.
    "trusted_proxies": ("trusted_proxies: [10.0.0.1/32]", "changed", True, True),
}

# name: (what is replaced, by what, the changes, the changes the other way round)
CHANGES: dict[str, tuple[str, str, list[Change], list[Change]]] = {
    "a role more": (
        EDIT, "allow: [support, agent]",
        [access("agent", f"crm/{name}", gains=True) for name in ("update_customer", "delete_customer")],
        [access("agent", f"crm/{name}", gains=False) for name in ("update_customer", "delete_customer")],
    ),
    "a wider pattern": (
        'tools: ["crm/get_*"]\n', 'tools: ["crm/*"]\n',
        [access("analyst", f"crm/{name}", gains=True) for name in ("update_customer", "delete_customer", "*")],
        [access("analyst", f"crm/{name}", gains=False) for name in ("update_customer", "delete_customer", "*")],
    ),
    "a pattern over parts": (
        'tools: ["crm/get_*"]\n', 'tools: ["crm/get_**"]\n',
        [access("analyst", "crm/get_**", gains=True)], [access("analyst", "crm/get_**", gains=False)],
    ),
    "a pattern of every server": (
        'tools: ["crm/get_*"]\n', 'tools: ["*/get_*"]\n',
        [access("analyst", "billing/get_*", gains=True)], [access("analyst", "billing/get_*", gains=False)],
    ),
    "roles that are needed together": (
        "tools: [billing/refund], allow_all: [finance, enrolled]",
        "tools: [billing/refund, billing/payout], allow_all: [finance, enrolled]",
        [access("enrolled + finance", "billing/payout", gains=True)],
        [access("enrolled + finance", "billing/payout", gains=False)],
    ),
    "one of the roles that were needed together": (
        "allow_all: [finance, enrolled]", "allow: [finance]",
        [access("finance", "billing/refund", gains=True)], [access("finance", "billing/refund", gains=False)],
    ),
    "a policy less": (
        "  - {name: asleep, state: disabled, tools: [crm/get_customer], then: deny}\n", "",
        [of_policy("asleep", "removed", widens=False)], [of_policy("asleep", "added", widens=False)],
    ),
    "an enforced policy less": (
        "  - {name: fresh, state: enforce, tools: [billing/refund], then: step_up, "
        "step_up: {acr: [strong], max_age: 5m}}\n", "",
        [of_policy("fresh", "removed", widens=True)], [of_policy("fresh", "added", widens=False)],
    ),
    "state": (
        "{name: no deletes, state: enforce", "{name: no deletes, state: shadow",
        [of_policy("no deletes", "state enforce -> shadow", widens=True)],
        [of_policy("no deletes", "state shadow -> enforce", widens=False)],
    ),
    "state of one that decides nothing": (
        "{name: asleep, state: disabled", "{name: asleep, state: shadow",
        [of_policy("asleep", "state disabled -> shadow", widens=False)],
        [of_policy("asleep", "state shadow -> disabled", widens=False)],
    ),
    "conditions": (
        "args.amount > 1000.0", "args.amount > 2000.0",
        [of_policy("big", "conditions changed", widens=True)], [of_policy("big", "conditions changed", widens=True)],
    ),
    "conditions in shadow": (
        '"red"', '"blue"',
        [of_policy("watched", "conditions changed", widens=False)],
        [of_policy("watched", "conditions changed", widens=False)],
    ),
    "selectors": (
        'tools: ["*/delete_*"]', 'tools: ["crm/delete_*"]',
        [of_policy("no deletes", "selectors changed", widens=True)],
        [of_policy("no deletes", "selectors changed", widens=True)],
    ),
    "no selectors any more": (
        ' tools: ["*/delete_*"],', "",
        [of_policy("no deletes", "selectors changed", widens=False)],
        [of_policy("no deletes", "selectors changed", widens=True)],
    ),
    "what is demanded": (
        "max_age: 5m", "max_age: 10m",
        [of_policy("fresh", "step-up changed", widens=True)], [of_policy("fresh", "step-up changed", widens=True)],
    ),
    "effect": (
        "then: step_up, step_up: {acr: [strong], max_age: 5m}", "then: deny",
        [of_policy("fresh", "effect step_up -> deny", widens=False)],
        [of_policy("fresh", "effect deny -> step_up", widens=True)],
    ),
    "a network that an enforced policy reads": (
        '"10.0.0.0/8"', '"10.0.0.0/8", "192.0.2.0/24"',
        [Change("network", "office", "changed", True)], [Change("network", "office", "changed", True)],
    ),
    "unmapped": (
        OPEN, f"    unmapped: authenticated\n{OPEN}",
        [of_crm("unmapped", widens=True)], [of_crm("unmapped", widens=False)],
    ),
    "scopes": (
        OPEN, f"    scopes: [crm]\n{OPEN}", [of_crm("scopes", widens=False)], [of_crm("scopes", widens=True)],
    ),
    "clients": (
        OPEN, f"    clients: [desk]\n{OPEN}", [of_crm("clients", widens=False)], [of_crm("clients", widens=True)],
    ),
    "audiences": (
        OPEN, f"    audiences: [crm]\n{OPEN}", [of_crm("audiences", widens=True)], [of_crm("audiences", widens=False)],
    ),
    "a tenant that is required": (
        OPEN, f"    require_tenant: true\n{OPEN}",
        [of_crm("require_tenant", widens=False)], [of_crm("require_tenant", widens=True)],
    ),
    "a method that is allowed": (
        OPEN, f"    methods: {{x/y: allow}}\n{OPEN}",
        [of_crm("methods", widens=True)], [of_crm("methods", widens=False)],
    ),
    "a method that is denied": (
        OPEN, f"    methods: {{ping: deny}}\n{OPEN}",
        [of_crm("methods", widens=False)], [of_crm("methods", widens=True)],
    ),
    "tenants that a provider may speak for": (
        "tenants: any", "tenants: [acme]",
        [Change("provider", "corp", "tenants changed", False)], [Change("provider", "corp", "tenants changed", True)],
    ),
    "roles that a provider may assert": (
        "roles: any", "roles: [analyst, finance, enrolled, support]",
        [Change("provider", "corp", "roles changed", False)], [Change("provider", "corp", "roles changed", True)],
    ),
    "where a claim is read": (
        CLAIMS, "    claims: {tenant: org}\n",
        [Change("provider", "corp", "claims changed", True)], [Change("provider", "corp", "claims changed", True)],
    ),
    "a country header": (
        "policies:\n", "country_header: x-country\ntrusted_proxies: [10.0.0.1/32]\npolicies:\n",
        [Change("configuration", "country_header", "changed", True),
         Change("configuration", "trusted_proxies", "changed", True)],
        [Change("configuration", "country_header", "changed", True),
         Change("configuration", "trusted_proxies", "changed", True)],
    ),
    "a body that is taken as text": (
        "authz: 127.0.0.1:9191", "authz: 127.0.0.1:9191\n  insecure_accept_text_bodies: true",
        [Change("configuration", "server.insecure_accept_text_bodies", "weakens", True)],
        [Change("configuration", "server.insecure_accept_text_bodies", "weakens no more", False)],
    ),
    "what rules ask for": (
        "mapping: roles", "mapping: permissions",
        [Change("configuration", "access.mapping", "changed", True)],
        [Change("configuration", "access.mapping", "changed", True)],
    ),
    **{
        f"provider: {key}": (
            CLAIMS, f"{CLAIMS}    {line}\n",
            [Change("provider", "corp", f"{key.strip()} changed", there)],
            [Change("provider", "corp", f"{key.strip()} changed", back)],
        )
        for key, (line, there, back) in PROVIDER.items()
    },
    **{
        f"resource: {key}": (OPEN, f"    {line}\n{OPEN}", [of_crm(key, widens=there)], [of_crm(key, widens=back)])
        for key, (line, there, back) in RESOURCE.items()
    },
    **{
        key: (
            "policies:\n", f"{line}\npolicies:\n",
            [Change("configuration", key, change, there)], [Change("configuration", key, change, back)],
        )
        for key, (line, change, there, back) in WHOLE.items()
    },
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "there", "back"), CHANGES.values(), ids=CHANGES)
def test_change_is_listed_both_ways(tmp_path, before, after, there, back):
    assert TEXT.count(before) == 1
    old, new = draft(tmp_path), draft(tmp_path, TEXT.replace(before, after))
    known = read_catalog([f"crm={save(tmp_path, TOOLS)}"], ["crm"])
    assert sorted(list_changes(old, new, known), key=repr) == sorted(there, key=repr)
    assert sorted(list_changes(new, old, known), key=repr) == sorted(back, key=repr)


@pytest.mark.parametrize(("before", "after"), [each[:2] for each in CHANGES.values()], ids=CHANGES)
def test_what_widens_is_seen_without_a_list_too(tmp_path, before, after):
    old, new = draft(tmp_path), draft(tmp_path, TEXT.replace(before, after))
    known = read_catalog([f"crm={save(tmp_path, TOOLS)}"], ["crm"])
    for there in ((old, new), (new, old)):
        widens = [any(each.widens for each in list_changes(*there, held)) for held in ([], known)]
        assert widens[0] == widens[1]


def test_another_word_to_ask_for_a_scope_widens_nothing(tmp_path):
    written = ("scopes: [crm]", "scopes: [{name: crm, request_as: 'api://x/crm'}]")
    plain, mapped = (draft(tmp_path, TEXT.replace(OPEN, f"    {each}\n{OPEN}")) for each in written)
    changed = [of_crm("scopes", widens=False)]
    assert (list_changes(plain, mapped, []), list_changes(mapped, plain, [])) == (changed, changed)


def test_nothing_changed(tmp_path):
    assert list_changes(draft(tmp_path), draft(tmp_path), []) == []


def test_every_setting_of_callers_is_either_known_or_taken_to_widen():
    # What is not in a table widens by any change: such keys are few, and on purpose.
    unknown = [
        sorted(section.model_fields.keys() - known.keys())
        for section, known in ((conf.Provider, setting.PROVIDER), (conf.Resource, setting.RESOURCE))
    ]
    assert unknown == [["ca_file", "claims", "issuer", "jwks_uri", "name"], ["name", "upstream_path", "url"]]


def test_every_section_of_the_file_is_compared():
    whole = Config.model_fields.keys() - setting.ELSEWHERE - setting.SECTIONS.keys()
    assert whole == {"data_protection", "unruled_sample", "masking_keys", "hooks", "console"}


def test_network_that_no_enforced_policy_reads_widens_nothing(tmp_path):
    quiet = TEXT.replace("{name: no deletes, state: enforce", "{name: no deletes, state: shadow")
    old, new = draft(tmp_path, quiet), draft(tmp_path, quiet.replace("10.0.0.0/8", "10.0.0.0/9"))
    assert list_changes(old, new, []) == [Change("network", "office", "changed", False)]


def test_policy_that_becomes_one_tenants_own_widens(tmp_path):
    own = "  - {name: own, state: enforce, tools: [crm/get_x], then: deny}\n"
    everybodys = draft(tmp_path, TEXT + own + "tenants: {acme: {policies: []}}\n")
    one_tenants = draft(tmp_path, TEXT + TENANTS)
    there, back = "of everybody -> of tenant acme", "of tenant acme -> of everybody"
    assert list_changes(everybodys, one_tenants, []) == [of_policy("own", there, widens=True)]
    assert list_changes(one_tenants, everybodys, []) == [of_policy("own", back, widens=False)]


def test_tenants_that_are_no_longer_asked_for_widen(tmp_path):
    without, with_tenants = draft(tmp_path), draft(tmp_path, TEXT + TENANTS)
    there = list_changes(with_tenants, without, [])
    assert [(each.who, each.what, each.widens) for each in there] == [
        ("policy", "own", True), ("configuration", "tenants", True),
    ]  # fmt: skip
    assert not any(each.widens for each in list_changes(without, with_tenants, []))


def test_resource_that_is_new_is_gained_and_lost_with_its_rules(tmp_path):
    hr = "  - {name: hr, url: 'https://mcp.example.com/hr', providers: [corp], insecure_unsigned: true}\naccess:\n"
    more = TEXT.replace("access:\n", hr).replace('tools: ["crm/get_*"]\n', 'tools: ["crm/get_*", "hr/get_*"]\n')
    old, new = draft(tmp_path), draft(tmp_path, more)
    assert list_changes(old, new, []) == [access("analyst", "hr/get_*", gains=True)]
    assert list_changes(new, old, []) == [access("analyst", "hr/get_*", gains=False)]
