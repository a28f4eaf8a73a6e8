import hmac

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.mac import authenticate


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_authentication_is_hmac_sha256(message, key):
    assert authenticate(message, key) == hmac.digest(key, message, "sha256")
