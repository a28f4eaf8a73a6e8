"""What a backend accepts, and which check refuses what it does not."""

import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha512

import pytest

from agen_authz.core.signature import IDENTITY_HEADERS, SignedTarget, SigningKey
from agen_authz.verify import Identity, MemoryNonces, read_headers
from tests import builders as build
from tests.verify.signed import BODY, KEY, NOW, OTHER_KEY, arrive, outcome, sign_again, signed_over, verifier

ANN = Identity("https://idp.example.com", "ann", "", "desk", ("analyst",), (), "crm", "req-1")


def test_signed_request_says_who_called():
    assert outcome(arrive()) == ANN


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_request_without_a_body_signs_zero_bytes(method):
    assert outcome(arrive(method=method, body=b"")) == ANN
    assert outcome(replace(arrive(method=method, body=b""), body=b"x")) == "content-digest"


def test_identity_comes_back_as_the_token_had_it():
    principal = build.principal(
        subject='a"b\\c', tenant="Zürich ☂", client="", roles=("a, b", 'q"', "ß", "x"), permissions=()
    )
    said = outcome(arrive(principal))
    assert (said.subject, said.tenant, said.client, said.roles, said.permissions) == (
        'a"b\\c',
        "Zürich ☂",
        "",
        ("a, b", 'q"', "ß", "x"),
        (),
    )


GOOD = arrive()


# What chooses how the body is read, as clients of both eras send it.
READING = {
    "content-type": "application/json",
    "content-encoding": "identity",
    "mcp-protocol-version": "2025-11-25",
    "mcp-session-id": "s1",
    "mcp-method": "tools/call",
    "mcp-name": "get_customer",
    "mcp-param-region": "eu",
}
FULL = arrive(headers=READING)


@pytest.mark.parametrize("component", ["@method", "@path", "@query", "content-digest", *IDENTITY_HEADERS, *READING])
def test_signature_that_covers_less_is_refused(component):
    dropped = sign_again(FULL, f'"{component}"', "").header("signature-input").replace("  ", " ")
    text = dropped.removeprefix("agen=").replace("( ", "(").replace(" )", ")")
    assert outcome(signed_over(FULL, text)) == "components"


def test_what_chooses_how_the_body_is_read_is_covered_and_accepted():
    assert outcome(FULL) == ANN
    assert set(READING) <= set(re.findall(r'"([^"]+)"', FULL.header("signature-input")))


@pytest.mark.parametrize("name", READING)
def test_header_that_chooses_cannot_be_altered_added_taken_away_or_doubled_on_the_way(name):
    without = arrive(headers={each: value for each, value in READING.items() if each != name})
    if name != "content-type":  # every request of this stage has one
        assert outcome(without) == ANN
        assert outcome(without.and_header(name, READING[name])) == "components"
    said = [
        outcome(FULL.with_header(name, "another")),
        outcome(FULL.with_header(name, "")),
        outcome(FULL.without(name)),
        outcome(FULL.and_header(name, READING[name])),
        outcome(FULL.and_header(name.replace("-", "_"), "another")),
    ]
    assert said == ["signature", "signature", "headers", "headers", "headers"]


def test_mcp_header_of_a_later_version_cannot_be_added_on_the_way():
    assert outcome(FULL.and_header("mcp-later", "x")) == "components"
    assert outcome(FULL.and_header("mcp_later", "x")) == "headers"


@pytest.mark.parametrize("name", ["x-mcp-session-id", "content-length", "content-language", "accept", "agents", "mcp"])
def test_header_that_chooses_nothing_may_be_added_on_the_way(name):
    assert outcome(FULL.and_header(name, "1")) == ANN


def test_signing_again_as_it_was_is_the_signers_own_signature():
    assert sign_again(GOOD, "", "") == GOOD


def test_one_backend_cannot_forge_to_another():
    keys_of_a, keys_of_b = SigningKey("crm-1", KEY), {"billing-1": OTHER_KEY}
    at_b = verifier(keys_of_b, resource="billing")
    assert outcome(arrive(key=keys_of_a), at_b) == "key"
    # Even with B's key id and B's name, it has not B's key.
    assert outcome(arrive(key=SigningKey("billing-1", KEY), resource="billing"), at_b) == "signature"


def test_request_is_good_once():
    checking = verifier()
    assert [outcome(GOOD, checking), outcome(GOOD, checking)] == [ANN, "nonce"]


def test_altered_request_does_not_use_up_the_nonce():
    checking = verifier()
    said = [
        outcome(each, checking) for each in (replace(GOOD, body=b"x"), GOOD.with_header("agen-subject", '"x"'), GOOD)
    ]
    assert said == ["content-digest", "signature", ANN]


def test_nonces_of_two_keys_are_not_mixed_up():
    checking = verifier({"crm-1": KEY, "crm-2": OTHER_KEY})
    said = [outcome(arrive(key=SigningKey(*key)), checking) for key in (("crm-1", KEY), ("crm-2", OTHER_KEY))]
    assert said == [ANN, ANN]


@pytest.mark.parametrize("apart_s", [-64, -60, 0, 5])
def test_clocks_may_be_apart_by_the_leeway(apart_s):
    assert outcome(arrive(created=NOW + apart_s)) == ANN


def test_other_signatures_next_to_ours_are_ignored():
    theirs = 'proxy=("@method");created=1'
    both = GOOD.with_header("signature-input", f"{theirs}, {GOOD.header('signature-input')}")
    both = both.with_header("signature", f"proxy=:AAAA:, {GOOD.header('signature')}")
    assert outcome(both) == ANN
    lines = GOOD.and_header("signature-input", theirs).and_header("signature", "proxy=:AAAA:")
    assert outcome(lines) == ANN


def test_parameters_in_another_order_are_read_too():
    text = GOOD.header("signature-input").removeprefix("agen=")
    covered, _, rest = text.partition(")")
    turned = f"{covered});" + ";".join(reversed(rest.strip(";").split(";")))
    assert outcome(signed_over(GOOD, turned)) == ANN


def test_parameter_of_the_query_is_asked_for_only_where_the_query_has_it():
    asking = verifier(components=('@query-param;name="a"',))
    assert outcome(GOOD, asking) == ANN
    with_query = arrive(target=SignedTarget("https", "mcp.example.com", "/mcp", "a=1"))
    assert outcome(with_query, asking) == "components"


def test_second_digest_must_be_right_too():
    right = f"{GOOD.header('content-digest')}, sha-512=:{b64encode(sha512(BODY).digest()).decode()}:"
    wrong = f"{GOOD.header('content-digest')}, sha-512=:{b64encode(bytes(64)).decode()}:"
    only = f"sha-512=:{b64encode(sha512(BODY).digest()).decode()}:"
    said = []
    for digest in (right, wrong, only, "sha-256=1", "=", "sha-256", "sha-256=(:AAAA:)"):
        arrived = GOOD.with_header("content-digest", digest)
        said.append(outcome(signed_over(arrived, arrived.header("signature-input").removeprefix("agen="))))
    assert said == [ANN, *["content-digest"] * 6]


COMPONENTS = (
    "@authority", "@scheme", "@target-uri", "@request-target", '@query-param;name="a"', "accept", "x-kept",
)  # fmt: skip


@pytest.mark.parametrize(
    "component",
    ["X-Kept", "x-kept;sf", "x_kept", "", "x kept", "@status", "@query-param", '@query-param;name=""', "Host"],
)
def test_component_that_no_request_has_is_refused_at_the_start(component):
    with pytest.raises(ValueError, match="component"):
        verifier(components=(component,))


def test_components_are_not_one_text():
    with pytest.raises(ValueError, match="is one string"):
        verifier(components="x-kept")


@pytest.mark.parametrize("demanded", [(), ("x-kept",)], ids=["covered only", "demanded as well"])
def test_header_that_reads_as_a_covered_one_is_refused(demanded):
    arrived = arrive(components=("x-kept",), headers={"x-kept": "yes"})
    assert outcome(arrived, verifier(components=demanded)) == ANN
    assert outcome(arrived.and_header("x_kept", "no"), verifier(components=demanded)) == "headers"


def test_header_that_reads_as_one_that_is_demanded_and_not_there_is_refused():
    demanding = verifier(components=("x-very-kept",))
    assert outcome(arrive().and_header("x_very-kept", "no"), demanding) == "headers"
    assert outcome(arrive().and_header("x_other", "no"), demanding) == ANN


def _with_components(**changes):
    target = SignedTarget("https", "MCP.example.com:443", "/mcp", "a=1%202&b=")
    return arrive(components=COMPONENTS, target=target, **changes)


def test_every_component_is_found_again_at_the_backend():
    arrived = _with_components(headers={"x-kept": "yes"})
    assert outcome(arrived, verifier(scheme="https", components=COMPONENTS)) == ANN
    altered = [arrived.with_header("host", "evil.example.com"), arrived.with_header("x-kept", "no")]
    said = [outcome(each, verifier(scheme="https")) for each in (*altered, replace(arrived, query="a=2&b="))]
    assert said == ["signature"] * 3


def test_header_that_was_not_sent_is_not_covered():
    arrived = _with_components()
    assert outcome(arrived, verifier(scheme="https", components=COMPONENTS)) == ANN
    added = arrived.and_header("x-kept", "added later")
    assert outcome(added, verifier(scheme="https", components=COMPONENTS)) == "components"


def test_scheme_of_the_callers_is_not_the_backends_own():
    assert outcome(_with_components()) == "signature"


def test_component_that_the_verifier_asks_for_must_be_covered():
    asking = verifier(components=("@authority",))
    assert outcome(GOOD, asking) == "components"


# RFC 9421 section 2.2.3: the scheme's own port is not signed; the backend sees the Host as the client wrote it.
@pytest.mark.parametrize(
    ("scheme", "signed", "host"),
    [
        ("https", "mcp.example.com", "mcp.example.com:443"),
        ("https", "mcp.example.com:443", "mcp.example.com"),
        ("https", "mcp.example.com", "MCP.example.com:443"),
        ("http", "localhost", "localhost:80"),
        ("http", "localhost:80", "localhost"),
        ("https", "mcp.example.com:8443", "mcp.example.com:8443"),
    ],
)
@pytest.mark.parametrize("is_told", [False, True], ids=["scheme unknown", "scheme given"])
def test_default_port_in_host_makes_no_difference(scheme, signed, host, is_told):
    arrived = arrive(target=SignedTarget(scheme, signed, "/mcp", None), components=("@authority",)).with_header(
        "host", host
    )
    assert outcome(arrived, verifier(components=("@authority",), scheme=scheme if is_told else None)) == ANN


@pytest.mark.parametrize(
    "host", ["mcp.example.com:8443", "mcp.example.com:80", "mcp.example.com.", "other.example.com"]
)
def test_another_authority_is_a_difference(host):
    arrived = arrive(components=("@authority",)).with_header("host", host)
    assert outcome(arrived, verifier(components=("@authority",), scheme="https")) == "signature"


def test_host_that_came_twice_is_not_derived_from():
    arrived = _with_components().and_header("host", "mcp.example.com")
    assert outcome(arrived, verifier(scheme="https")) == "headers"


def test_nonce_is_remembered_until_no_clock_takes_its_signature_any_more():
    spent = []

    class Store:
        is_blocking = False

        def spend(self, nonce, *, until, now):
            spent.append((nonce, until, now))
            return True

    assert outcome(GOOD, verifier(store=Store(), leeway_s=30.0)) == ANN
    assert spent == [("crm-1:0123456789abcdef0123456789abcdef", NOW + 60 + 30.0, NOW)]


ODD_TEXTS = ("ann", "1", "?1", '"ann";a=1', '"ann" "eve"', '("ann")', '"ann', '%"%ff"', "")
ODD_TEXT_LISTS = ("a", '"a", 1', '"a";b', '("a")', '"a",', '"a", "b')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("agen-subject", value) for value in ODD_TEXTS),
        *(("agen-request-id", value) for value in ODD_TEXTS),
        *(("agen-roles", value) for value in ODD_TEXT_LISTS),
    ],
)
def test_identity_that_is_signed_and_no_structured_field_of_its_kind_is_refused(name, value):
    assert outcome(sign_again(GOOD.with_header(name, value), "", "")) == "identity"


def test_header_is_one_however_its_name_is_written():
    lines = [(b"Agen-Subject", b' "ann" '), (b"agen-subject", b'"eve"'), (b"Host", b"h"), (b"AGEN-SUBJECT", b"")]
    assert read_headers(iter(lines)) == (
        {"agen-subject": '"ann", "eve", ', "host": "h"},
        frozenset({"agen-subject"}),
    )


def test_key_that_is_too_short_is_refused():
    class Short:
        def get(self, key_id):
            return KEY[:31]

    assert outcome(arrive(key=SigningKey("crm-1", KEY[:31])), verifier(Short())) == "key"


def test_store_that_is_full_refuses():
    checking = verifier(store=MemoryNonces(capacity=0))
    assert outcome(GOOD, checking) == "nonce"


@pytest.mark.parametrize(
    ("keys", "changes", "says"),
    [
        pytest.param({}, {}, "at least one key", id="no-key"),
        pytest.param({"a": b"short"}, {}, "`a` is shorter than 32 bytes", id="short-key"),
        pytest.param({"a": KEY}, {"resource": ""}, "`resource` is empty", id="no-name"),
    ],
)
def test_verifier_that_could_not_work_is_not_built(keys, changes, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        verifier(keys, **changes)


def test_importing_the_verifier_brings_nothing_of_the_server():
    code = "import sys; before = set(sys.modules); import agen_authz.verify; print(*set(sys.modules) - before)"
    # Without the hook that measures the coverage of subprocesses, which brings its own modules.
    command = ["env", "-u", "COVERAGE_PROCESS_START", "-u", "COVERAGE_PROCESS_CONFIG", sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    brought = {name.partition(".")[0] for name in printed.split()}
    assert brought - sys.stdlib_module_names == {"agen_authz", "http_sfv", "typing_extensions"}
