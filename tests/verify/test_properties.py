"""Whatever is signed verifies; whatever was altered does not; our own reader and the library's say the same."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.signature import IDENTITY_HEADERS, SIGNATURE_HEADERS, SignedTarget
from agen_authz.verify import Identity, NotVerified
from agen_authz.verify.shape import Claim, read_claim, read_with_library
from tests import builders as build
from tests.verify.signed import BODY, arrive, outcome, verifier

# What a claim may hold: anything but control characters and lone surrogates.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
GOOD = arrive(components=("x-kept",), headers={"x-kept": "as it was"})
COVERED = ("x-kept", *SIGNATURE_HEADERS, *IDENTITY_HEADERS)


@given(TEXT, TEXT, TEXT, TEXTS, TEXTS)
def test_whatever_is_signed_verifies_and_says_the_same(subject, tenant, client, roles, permissions):
    caller = build.principal(subject=subject, tenant=tenant, client=client, roles=roles, permissions=permissions)
    said = outcome(arrive(caller))
    assert said == Identity(caller.issuer, subject, tenant, client, roles, permissions, "crm", "req-1")


@given(VALUES, st.binary(max_size=200), st.text("ab=&%20+", max_size=12))
def test_any_header_body_and_query_verifies(value, body, query):
    target = SignedTarget("https", "mcp.example.com", "/mcp", query)
    arrived = arrive(components=("x-kept",), headers={"x-kept": value}, body=body, target=target)
    assert isinstance(outcome(arrived), Identity)


@given(st.sampled_from(COVERED), st.integers(0, 10_000), st.integers(0, 255))
def test_flipped_byte_in_any_covered_header_is_refused(name, place, byte):
    value = bytearray(GOOD.header(name).encode())
    if not value:
        value = bytearray(b" ")
    if value[place % len(value)] == byte:
        byte ^= 1
    value[place % len(value)] = byte
    altered = value.decode("latin-1")
    if altered.strip(" \t") == GOOD.header(name):
        return  # white space around a value is no part of it (RFC 9110 section 5.5)
    assert isinstance(outcome(GOOD.with_header(name, altered)), str)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_flipped_byte_in_the_body_is_refused(place, flip):
    body = bytearray(BODY)
    body[place] ^= flip
    assert outcome(replace(GOOD, body=bytes(body))) == "content-digest"


@given(st.sampled_from(["method", "path"]), st.integers(0, 3), st.characters(max_codepoint=0xFF))
def test_flipped_character_in_method_or_path_is_refused(part, place, char):
    whole = getattr(GOOD, part)
    altered = whole[:place] + char + whole[place + 1 :]
    if altered != whole:
        assert outcome(replace(GOOD, **{part: altered})) in {"signature", "headers"}


QUERY = "a=1&b=%20x"
QUERIED = arrive(target=SignedTarget("https", "mcp.example.com", "/mcp", QUERY))


@given(st.integers(0, len(QUERY) - 1), st.characters(max_codepoint=0xFF))
def test_flipped_character_in_the_query_is_refused(place, char):
    altered = QUERY[:place] + char + QUERY[place + 1 :]
    if altered != QUERY:
        assert outcome(replace(QUERIED, query=altered)) in {"signature", "headers"}


@given(st.permutations(range(14)))
def test_components_in_another_order_are_refused(order):
    text = GOOD.header("signature-input")
    inside = text[text.index("(") + 1 : text.index(")")].split(" ")
    turned = " ".join(inside[each] for each in order)
    said = outcome(GOOD.with_header("signature-input", text.replace(" ".join(inside), turned)))
    assert isinstance(said, Identity) if list(order) == sorted(order) else said == "signature"


@given(st.integers(0, 13))
def test_dropped_component_is_refused(place):
    text = GOOD.header("signature-input")
    inside = text[text.index("(") + 1 : text.index(")")].split(" ")
    fewer = " ".join(each for index, each in enumerate(inside) if index != place)
    altered = GOOD.with_header("signature-input", text.replace(" ".join(inside), fewer))
    assert outcome(altered) in {"components", "signature"}


def _either(read, text):
    try:
        return read(text)
    except NotVerified:
        return None


PIECES = st.sampled_from(
    [
        '"@method"', '"@path"', " ", "(", ")", ";", "agen=", "created=1", "expires=2", 'nonce="0123456789abcdef"', ",",
        'keyid="k"', 'alg="hmac-sha256"', 'tag="agen-authz"', ';name="a"', '"', "\\", "=", "1", "?1", "x", ":AA==:",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_our_own_reader_says_what_the_library_says(text):
    said = _either(read_claim, text)
    assert said is None or said == _either(read_with_library, text)


@given(st.lists(PIECES, max_size=8).map("".join), st.integers(0, 300))
def test_our_own_reader_of_nearly_ours_says_what_the_library_says(pieces, place):
    good = GOOD.header("signature-input")
    text = good[:place] + pieces + good[place:]
    said = _either(read_claim, text)
    assert said is None or said == _either(read_with_library, text)
    assert isinstance(read_claim(good), Claim)


@given(st.binary(max_size=60), st.sampled_from(COVERED))
def test_any_bytes_in_any_header_are_refused_in_words(raw, name):
    value = raw.decode("latin-1")
    if value.strip(" \t") != GOOD.header(name):
        assert isinstance(outcome(GOOD.with_header(name, value), verifier()), str)
