import hashlib
import hmac

from agen_authz.core.digest import digest_arguments, digest_text, fingerprint, off_word
from agen_authz.core.model import Json

KEY = b"k" * 32


def test_equal_arguments_have_one_digest_whatever_their_order():
    expected = hmac.new(KEY, b'{"a":[1,2.5],"b":{"c":18446744073709551615}}', hashlib.sha256).hexdigest()
    first: dict[str, Json] = {"b": {"c": 2**64 - 1}, "a": [1, 2.5]}
    second: dict[str, Json] = {"a": [1, 2.5], "b": {"c": 2**64 - 1}}
    assert [digest_arguments(arguments, KEY) for arguments in (first, second)] == [expected] * 2


def test_digest_of_text_depends_on_the_key():
    assert digest_text("s1", KEY) == hmac.new(KEY, b"s1", hashlib.sha256).hexdigest()
    assert digest_text("s1", KEY) != digest_text("s1", b"x" * 32)


def test_fingerprint_is_sha_256():
    assert fingerprint(b"a") == hashlib.sha256(b"a").hexdigest()


def test_off_word_is_known_to_holders_of_the_key_only():
    keyed = "off-" + hmac.new(KEY, b"agen.inspect", hashlib.sha256).hexdigest()[:16]
    assert (off_word(KEY), off_word(None)) == (keyed, "off")
