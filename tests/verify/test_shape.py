"""A signature is compared without a shortcut, and what a stranger wrote is not read at length."""

from base64 import b64encode

import pytest
from http_sfv.dictionary import Dictionary

from agen_authz.verify import NotVerified
from agen_authz.verify.shape import is_signature, read_claim
from tests.verify.signed import arrive

MAC, OTHER = bytes(range(32)), bytes(32)


class Unequalled(bytes):
    """Bytes that only `hmac.compare_digest` may compare."""

    __hash__ = bytes.__hash__

    def __eq__(self, other):
        raise AssertionError("compared byte by byte")


class Header(str):
    def encode(self, encoding="utf-8", errors="strict"):
        """Encode into bytes that cannot be compared with `==`."""
        return Unequalled(super().encode(encoding, errors))


def _render(mac):
    return f"agen=:{b64encode(mac).decode()}:"


@pytest.mark.parametrize(("mac", "said"), [(MAC, True), (OTHER, False)], ids=["right", "wrong"])
def test_signature_of_our_shape_is_compared_in_constant_time(mac, said):
    assert is_signature(Header(_render(mac)), Unequalled(MAC)) is said


@pytest.mark.parametrize(("mac", "said"), [(MAC, True), (OTHER, False)], ids=["right", "wrong"])
def test_signature_among_others_is_compared_in_constant_time(mac, said):
    assert is_signature(f"{_render(mac)}, gw=:AAAA:", Unequalled(MAC)) is said


def test_bytes_that_may_not_be_compared_are_found_out():
    for left, right in ((Unequalled(MAC), MAC), (MAC, Unequalled(MAC))):
        with pytest.raises(AssertionError, match="byte by byte"):
            assert left == right


# ---- what the library is given -----------------------------------------------------------------------------


class Asked:
    """Knows one key; remembers which ids it was asked for."""

    def __init__(self, known):
        self.known, self.ids = known, []

    def __call__(self, keyid):
        self.ids.append(keyid)
        return keyid == self.known


@pytest.fixture
def library(monkeypatch):
    """Count what is parsed by the library: it costs a microsecond a character."""
    parsed = []
    real = Dictionary.parse

    def parse(self, raw):
        parsed.append(len(raw))
        return real(self, raw)

    monkeypatch.setattr(Dictionary, "parse", parse)
    return parsed


OURS = arrive().header("signature-input")
BESIDE = f'{OURS}, gw=("@method");keyid="other"'


def _said(text, asked):
    try:
        return read_claim(text, asked).keyid
    except NotVerified as exc:
        return exc.check.value


# Whatever it is, and whoever wrote it: nothing of this is parsed.
FOREIGN = {
    "bare tokens": ("a, " * 5000, "signature-input"),
    "a list of tokens": (f"agen=({'a ' * 8000}", "signature-input"),
    "ours and a long one": (f"{BESIDE}{', a' * 1000}", "signature-input"),
    "long by one character": (BESIDE + " " * (2049 - len(BESIDE)), "signature-input"),
    "no key": ('agen=("@method");created=1', "signature-input"),
    "a key that is not a string": ('agen=("@method");keyid=crm', "signature-input"),
    "nine signers": (", ".join(f'a{n}=();keyid="k{n}"' for n in range(9)), "signature-input"),
    "an unknown key": ('agen=("@method" );keyid="eve"', "key"),
    "two unknown keys": ('agen=("@method" );keyid="eve", b=();keyid="adam"', "key"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_names_no_known_key_or_is_long_is_refused_unread(library, name):
    text, check = FOREIGN[name]
    asked = Asked("crm-1")
    assert (_said(text, asked), library, len(asked.ids) <= 8) == (check, [], True)


def test_signature_among_others_is_read_if_a_known_key_is_named(library):
    assert (_said(BESIDE, Asked("crm-1")), library) == ("crm-1", [len(BESIDE)])
    longest = BESIDE + " " * (2048 - len(BESIDE))
    assert (_said(longest, Asked("crm-1")), library[1:]) == ("crm-1", [2048])


def test_id_is_looked_up_as_it_is_meant():
    text = BESIDE.replace('keyid="crm-1"', 'keyid="a\\"b\\\\c"')
    assert _said(text, Asked('a"b\\c')) == 'a"b\\c'


def test_our_own_shape_needs_no_library_however_many_headers_it_covers(library):
    many = " ".join(f'"mcp-param-{number}"' for number in range(200))
    text = OURS.replace(")", f" {many})", 1)
    assert len(text) > 2048
    assert (_said(text, Asked("nobody")), library) == ("crm-1", [])


def test_long_signature_is_refused_unread(library):
    with pytest.raises(NotVerified, match="longer than 2048"):
        is_signature(f"{_render(OTHER)}{', a' * 1000}", MAC)
    assert library == []
