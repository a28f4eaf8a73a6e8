"""Which provider's key a token is verified with, who may be asked for a key, and what the event says of a refusal."""

from dataclasses import replace
from typing import Any

import pytest

from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.model import Issuer, Resource
from tests import builders as build
from tests.builders import ISSUER, KID, NOW, OTHER_ISSUER, claims, sign
from tests.check.rig import Rig
from tests.fakes import MemoryKeys

TENANT, OTHER_TENANT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
TEMPLATE = "https://login.example.com/{tenantid}/v2.0"


class AskedKeys(MemoryKeys):
    """Keys in memory and keys that are published only; notes who is asked."""

    def __init__(self, known: dict[tuple[str, str], PublicKey], published: dict[tuple[str, str], PublicKey]) -> None:
        super().__init__("idp", "other")
        for (provider, _), key in known.items():
            self.hold(provider, *self.known[provider], key)
        for provider in self.published:
            # What is published under a known `kid` takes its place.
            merged = {kid: key for (name, kid), key in (known | published).items() if name == provider}
            self.published[provider] = tuple(merged.values())
        self.asked: list[tuple[str, str]] = []

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        self.asked.append((provider, kid))
        return await super().fetch_key(provider, kid, algorithm)


def of_two_providers(**changes: Any) -> Resource:
    other = build.provider(name="other", issuer=Issuer(OTHER_ISSUER), advertised_issuer=OTHER_ISSUER)
    return build.resource(providers={ISSUER: build.provider(), OTHER_ISSUER: other}, **changes)


def rig_of(known: dict[tuple[str, str], PublicKey], published: dict[tuple[str, str], PublicKey] | None = None) -> Rig:
    return Rig(resources=(of_two_providers(),), keys=AskedKeys(known, published or {}))


def ours() -> PublicKey:
    return build.public_key(build.ec_key())


def theirs() -> PublicKey:
    return build.public_key(build.ec_key("other"))


def caller_of(rig: Rig) -> tuple[str, str]:
    principal = rig.audit.events[-1]["principal"]
    return principal["provider"], principal["issuer"]


def test_kid_of_two_providers_is_tried_with_both_keys():
    rig = rig_of({("idp", KID): ours(), ("other", KID): theirs()})
    answers = [
        rig.post(build.message(), sign(claims())),
        rig.post(build.message(), sign(claims(iss=OTHER_ISSUER), key=build.ec_key("other"))),
    ]
    assert [each.is_allowed for each in answers] == [True, True]
    assert [event["principal"]["issuer"] for event in rig.audit.events] == [ISSUER, OTHER_ISSUER]
    assert rig.keys.asked == []


def test_key_that_two_providers_publish_speaks_for_the_issuer_that_is_signed():
    # Tenants of one vendor often share the vendor's keys.
    rig = rig_of({("idp", KID): ours(), ("other", KID): ours()})
    assert rig.post(build.message(), sign(claims(iss=OTHER_ISSUER))).is_allowed
    assert caller_of(rig) == ("other", OTHER_ISSUER)


@pytest.mark.parametrize(
    ("iss", "reason"),
    [(OTHER_ISSUER, "token_signature"), ("https://evil.example.com", "token_issuer")],
    ids=["another provider of the resource", "a stranger"],
)
def test_key_of_one_provider_vouches_for_no_other_issuer(iss, reason):
    rig = rig_of({("idp", KID): ours(), ("other", KID): theirs()})
    assert rig.post(build.message(), sign(claims(iss=iss))).reason == reason
    assert rig.keys.asked == []


def test_key_that_verified_a_foreign_issuer_leaves_the_named_provider_to_be_asked():
    shared = ours()
    rig = rig_of({("idp", KID): shared}, {("other", KID): shared})
    assert rig.post(build.message(), sign(claims(iss=OTHER_ISSUER))).is_allowed
    assert (caller_of(rig), rig.keys.asked) == (("other", OTHER_ISSUER), [("other", KID)])


ASKED: dict[str, tuple[dict[str, Any], list[tuple[str, str]], str]] = {
    "the first": ({"iss": ISSUER}, [("idp", "k9")], "token_key_unknown"),
    "the second": ({"iss": OTHER_ISSUER}, [("other", "k9")], "token_key_unknown"),
    "a stranger": ({"iss": "https://evil.example.com"}, [], "token_issuer"),
    "nobody": ({"iss": None}, [], "token_issuer"),
    "both, one of them nested": ({"act": {"iss": OTHER_ISSUER}}, [("idp", "k9")], "token_key_unknown"),
}


@pytest.mark.parametrize("name", ASKED)
def test_unknown_kid_asks_the_one_provider_that_the_token_names(name):
    changes, asked, reason = ASKED[name]
    rig = rig_of({("idp", KID): ours(), ("other", KID): theirs()})
    assert rig.post(build.message(), sign(claims(**changes), kid="k9")).reason == reason
    assert rig.keys.asked == asked


def test_provider_is_not_asked_in_an_algorithm_that_only_another_accepts():
    other = build.provider(name="other", issuer=Issuer(OTHER_ISSUER), algorithms=frozenset({"RS256"}))
    resource = build.resource(providers={ISSUER: build.provider(), OTHER_ISSUER: other})
    rig = Rig(resources=(resource,), keys=AskedKeys({("idp", KID): ours()}, {}))
    assert rig.post(build.message(), sign(claims(iss=OTHER_ISSUER), kid="k9")).reason == "token_algorithm"
    assert rig.keys.asked == []


def test_rotated_key_of_the_second_provider_is_fetched_though_the_first_knows_the_kid():
    rig = rig_of({("idp", KID): ours()}, {("other", KID): theirs()})
    assert rig.post(build.message(), sign(claims(iss=OTHER_ISSUER), key=build.ec_key("other"))).is_allowed
    assert (caller_of(rig), rig.keys.asked) == (("other", OTHER_ISSUER), [("other", KID)])


def test_token_without_a_kid_is_verified_with_the_key_without_one():
    rig = Rig(keys=MemoryKeys.holding(idp=[replace(ours(), kid="")]))
    assert rig.post(build.message(), sign(claims(), kid=None)).is_allowed
    assert rig.post(build.message(), sign(claims(), kid=None)).is_allowed
    assert rig.post(build.message(), sign(claims())).reason == "token_key_unknown"


@pytest.mark.parametrize(
    "payload", [b"[" * 9000, b'{"a":NaN}', b"\xff", b""], ids=["nested", "lenient", "no text", "empty"]
)
def test_claims_of_a_forged_token_are_not_parsed(payload):
    # A malformed payload that were parsed would be `token_malformed`.
    header = build.encode({"alg": "ES256", "typ": "at+jwt", "kid": KID})
    forged = build.sign_raw(header, payload, build.ec_key("stranger"), "ES256")
    assert Rig().post(build.message(), forged).reason == "token_issuer"
    named = build.sign_raw(header, b'{"iss":"' + ISSUER.encode() + b'",' + payload, build.ec_key("stranger"), "ES256")
    assert Rig().post(build.message(), named).reason == "token_signature"


def test_credential_that_is_too_long_is_refused_before_it_is_looked_at():
    seen = Rig().post(build.message(), headers={"authorization": "Basic " + "a" * 17000})
    assert seen.reason == "token_malformed"


# ---- an issuer with a tenant in it -----------------------------------------------------------------------


def of_tenants(*tenants: str) -> Rig:
    paths = build.replace_claims(tenant=(("tid",),))
    provider = build.provider(issuer=Issuer(TEMPLATE), tenants=frozenset(tenants), claims=paths)
    return Rig(resources=(build.resource(providers={TEMPLATE: provider}),), keys=MemoryKeys.holding(idp=[ours()]))


def issued_by(tenant: Any, tid: Any) -> str:
    return sign(claims(iss=TEMPLATE.replace("{tenantid}", str(tenant)), tid=tid))


def test_token_of_each_listed_tenant_is_accepted_with_its_own_issuer():
    rig = of_tenants(TENANT, OTHER_TENANT)
    assert all(rig.post(build.message(), issued_by(each, each)).is_allowed for each in (TENANT, OTHER_TENANT, TENANT))
    assert [(event["principal"]["issuer"], event["principal"]["tenant"]) for event in rig.audit.events] == [
        (TEMPLATE.replace("{tenantid}", each), each) for each in (TENANT, OTHER_TENANT, TENANT)
    ]


@pytest.mark.parametrize(
    ("iss", "tid"),
    [
        (TENANT, OTHER_TENANT),
        (OTHER_TENANT, TENANT),
        (TENANT, None),
        (TENANT, [TENANT]),
        ("33333333-3333-4333-8333-333333333333", "33333333-3333-4333-8333-333333333333"),
        ("{tenantid}", "{tenantid}"),
        ("", ""),
        (f"{TENANT}/", TENANT),
    ],
    ids=["another tid", "another iss", "no tid", "list", "not listed", "template", "empty", "longer"],
)
def test_token_of_another_tenant_is_refused(iss, tid):
    assert of_tenants(TENANT, OTHER_TENANT).post(build.message(), issued_by(iss, tid)).reason == "token_issuer"


def test_no_listed_tenant_means_none():
    paths = build.replace_claims(tenant=(("tid",),))
    provider = build.provider(issuer=Issuer(TEMPLATE), tenants=None, claims=paths)
    rig = Rig(resources=(build.resource(providers={TEMPLATE: provider}),), keys=MemoryKeys.holding(idp=[ours()]))
    assert rig.post(build.message(), issued_by(TENANT, TENANT)).reason == "token_issuer"


# ---- what the event says ---------------------------------------------------------------------------------


UNVERIFIED = f"unverified kid `k1`, alg `ES256`, iss `{ISSUER}`"
SAID: dict[str, tuple[dict[str, Any], str, str]] = {
    "audience": (
        {"claims": claims(aud=["https://b", "https://a"])}, "token_audience",
        f"aud `https://a`, `https://b`; wanted one of `{build.CRM_URL}`",
    ),
    "issuer": (
        {"claims": claims(iss=ISSUER + "/")}, "token_issuer",
        f"iss `{ISSUER}/`; wanted `{ISSUER}`, whose key verified it",
    ),
    "issuer of a stranger": (
        {"claims": claims(iss="https://evil"), "kid": "k9"}, "token_issuer",
        f"unverified kid `k9`, alg `ES256`, iss `https://evil`; wanted one of `{ISSUER}`",
    ),
    "key": (
        {"claims": claims(), "kid": "k9"}, "token_key_unknown",
        f"unverified kid `k9`, alg `ES256`, iss `{ISSUER}`; provider `idp` publishes no such key",
    ),
    "no key": (
        {"claims": claims(), "kid": None}, "token_key_unknown",
        f"unverified kid none, alg `ES256`, iss `{ISSUER}`; provider `idp` publishes no such key",
    ),
    "signature": ({"claims": claims(), "key": build.ec_key("stranger")}, "token_signature", UNVERIFIED),
    "algorithm": (
        {"claims": claims(), "key": build.ed_key(), "algorithm": "EdDSA"}, "token_algorithm",
        f"unverified kid `k1`, alg `EdDSA`, iss `{ISSUER}`; wanted one of `ES256`, `RS256`",
    ),
    "type": ({"claims": claims(), "typ": "x+jwt"}, "token_type", "typ `x+jwt`; wanted `at+jwt`, `jwt`"),
    "purpose": (
        {"claims": claims(nonce="n"), "typ": "JWT"}, "token_id_token",
        "claim `nonce` is there, and nothing says that it is an access token",
    ),
    "bound": ({"claims": claims(cnf={"jkt": "x"})}, "token_key_bound", "claim `cnf` is there"),
    "claim": (
        {"claims": claims(roles=1)}, "token_claim", "claim `roles` is a number; wanted a list of strings or one string",
    ),
    "expired": ({"claims": claims(exp=NOW - 60)}, "token_expired", f"exp {NOW - 60:.0f}; now {NOW:.0f}"),
    "not yet valid": ({"claims": claims(nbf=NOW + 60)}, "token_not_yet_valid", f"nbf {NOW + 60:.0f}; now {NOW:.0f}"),
    "issued later": ({"claims": claims(iat=NOW + 60)}, "token_not_yet_valid", f"iat {NOW + 60:.0f}; now {NOW:.0f}"),
    "escaped": (
        {"claims": claims(aud="a\u202e`\u009b")}, "token_audience",
        f"aud `a\\u{{202e}}\\u{{60}}\\u{{9b}}`; wanted one of `{build.CRM_URL}`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_event_says_what_was_seen_and_what_was_wanted(name):
    how, reason, detail = SAID[name]
    rig, token = Rig(), sign(how["claims"], **{key: value for key, value in how.items() if key != "claims"})
    seen = rig.post(build.message(), token)
    why = [{"check": "token", "outcome": "rejected", "rule": detail}]
    assert (rig.audit.events[-1]["reason"], rig.audit.events[-1]["why"]) == (reason, why)
    # Nothing of it is for the client.
    assert seen.json["error"]["data"] == {"reason": reason, "request_id": rig.audit.events[-1]["request_id"]}
    assert detail not in repr(seen)


def logged(caplog):
    names = ("resource", "reason", "why", "not_logged")
    return [tuple(getattr(record, name) for name in names) for record in caplog.records]


def test_log_has_one_line_a_minute_for_each_resource_and_reason(caplog):
    rig, forged = Rig(), sign(claims(), key=build.ec_key("stranger"))
    for _ in range(3):
        rig.post(build.message(), forged)
    rig.post(build.message(), sign(claims(aud="x")))
    rig.clock.advance(59)
    rig.post(build.message(), forged)
    rig.clock.advance(1)
    rig.post(build.message(), forged)
    assert logged(caplog) == [
        ("crm", "token_signature", UNVERIFIED, 0),
        ("crm", "token_audience", f"aud `x`; wanted one of `{build.CRM_URL}`", 0),
        ("crm", "token_signature", UNVERIFIED, 3),
    ]


def test_log_is_silent_about_tokens_that_are_missing_expired_or_good(caplog):
    rig = Rig()
    rig.post(build.message(), headers={"authorization": None})
    rig.post(build.message(), headers={"authorization": "Basic YTpi"})
    rig.post(build.message(), sign(claims(exp=NOW - 60)))
    rig.post(build.message())
    assert logged(caplog) == []


def test_log_holds_no_token(caplog):
    token = sign(claims(aud="x"))
    Rig().post(build.message(), token)
    assert [part for part in token.split(".") if part in repr(logged(caplog))] == []


REACH: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "client": ({"clients": frozenset({"web"})}, {}, {}, "client `desk`; wanted one of `web`"),
    "tenant": ({}, {"tenants": frozenset({"acme"})}, {"tenantId": "evil"}, "tenant `evil`; wanted one of `acme`"),
    "role": (
        {}, {"roles": frozenset({"support"})}, {"permissions": ["all"]},
        "roles `all`, `analyst`, which provider `idp` may not assert",
    ),
    "no tenant": ({"require_tenant": True}, {}, {}, "no tenant; provider `idp` maps `claims.tenant`"),
    "age": (
        {}, {"max_token_age_s": 60.0}, {"iat": NOW - 100}, f"iat {NOW - 100:.0f}; now {NOW:.0f}; wanted at most 60 s",
    ),
    "unknown age": ({}, {"max_token_age_s": 60.0}, {"iat": None}, "no iat; wanted at most 60 s"),
    "unmarked": (
        {"audiences": spell_audiences([build.CRM_URL, "web"]), "scopes": ()}, {},
        {"aud": "web", "client_id": None, "scope": None},
        "aud `web`, and no claim that only access tokens have; see docs/reasons.md",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REACH)
def test_event_says_what_the_resource_and_its_provider_admit(name):
    resource, provider, changes, detail = REACH[name]
    held = build.resource(providers={ISSUER: build.provider(**provider)}, **resource)
    rig = Rig(resources=(held,))
    rig.post(build.message(), sign(claims(**changes), typ="JWT"))
    assert rig.audit.events[-1]["why"] == [{"check": "token", "outcome": "rejected", "rule": detail}]


def test_unmarked_token_is_accepted_for_the_url_itself():
    rig = Rig(resources=(build.resource(scopes=()),))
    assert rig.post(build.message(), sign(claims(client_id=None, scope=None), typ="JWT")).is_allowed
