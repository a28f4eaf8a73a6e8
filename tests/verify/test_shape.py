"""A signature is compared without a shortcut: how long it takes says nothing of where it differs."""

from base64 import b64encode

import pytest

from agen_authz.verify.shape import is_signature

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
def test_signature_beside_others_is_compared_in_constant_time(mac, said):
    assert is_signature(f"{_render(mac)}, gw=:AAAA:", Unequalled(MAC)) is said


def test_bytes_that_may_not_be_compared_are_found_out():
    for left, right in ((Unequalled(MAC), MAC), (MAC, Unequalled(MAC))):
        with pytest.raises(AssertionError, match="byte by byte"):
            assert left == right
