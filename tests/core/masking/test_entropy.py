"""A secret is told from a word, a name, a path and a placeholder."""

from base64 import b64encode

from agen_authz.core.masking.entropy import (
    entropy,
    is_basic,
    is_cookie,
    is_encoded_jwt,
    is_filled,
    is_given,
    is_jwt,
    is_key_material,
    is_long_secret,
    is_name,
    is_password,
    is_quoted_password,
    is_secret,
    random,
)
from tests.core.masking.every import every
from tests.core.masking.secret_case import ALNUM, B64, HEX, LOWER, URL_SAFE, mix, uuid


@every(("value", "bits"), [("", 0), ("aaaa", 0), ("abab", 1), ("abcd", 2), ("abcdefgh", 3)])
def test_entropy_counts_bits_of_each_character(value, bits):
    assert entropy(value) == bits


def test_random_asks_for_bits_and_refuses_placeholders():
    check = random(3.0)
    assert [check(mix(24)), check("aaaabbbb"), check("xxxxxxxx" + mix(24))] == [True, False, False]


@every("seed", range(1, 21))
@every("letters", [ALNUM, B64, HEX, LOWER, URL_SAFE])
def test_random_value_is_a_secret(letters, seed):
    assert is_secret("7" + mix(31, letters, seed))


@every("value", [uuid(), "qTzWpLxRbNvKsMdGhJ", "h480djs93hd8", "Zx9!kLm2@pQr"])
def test_short_or_lettered_value_is_a_secret(value):
    assert is_secret(value)


@every(
    "value",
    ["short1", "aaaaaaaaaaa1", "1234567890123", "accessTokenProvider", "correcthorsebattery", "/etc/app/key1.json",
     "./secrets/x1.pem", "https://x.example/a1", "host1.example.org/path", "ed25519.Ed25519PublicKey", "web-tls-2024",
     "kube-root-ca-x7k2p", "db-credentials-7d9f8b6c5-x2x4q", "signature_method_v2", "${VAULT_TOKEN_1}", "$TOKEN_NAME1",
     "{{ .Values.token1 }}", "<your-token-1>", "your_api_key_123", "replace-me-with-key1", "config.json",
     "C:\\\\key1.txt"],
)  # fmt: skip
def test_word_name_path_or_placeholder_is_no_secret(value):
    assert not is_secret(value)


@every(("value", "is_long"), [(mix(15, LOWER), False), (mix(16, LOWER), True)])
def test_long_secret_has_sixteen_characters(value, is_long):
    assert is_long_secret(value) is is_long


@every("value", ["hunter2", "P@ssw0rd", "letmein!", "123456", "tr0ub4dor&3", "correct-horse-7"])
def test_password_has_two_kinds_of_characters(value):
    assert is_password(value)


@every(
    "value",
    ["required", "Required", "Password", "newPassword", "reset-link", "string", "<password>", "${PW1}", "********",
     "changeme1", "1234", "https://x1.example", "@proxy1", "domain=", "is_given", "e.g."],
)  # fmt: skip
def test_word_or_placeholder_is_no_password(value):
    assert not is_password(value)


@every(
    ("value", "is_one"),
    [
        ("letmein", True),
        ("hunter2", True),
        ("at least 8", True),
        ("required", False),
        ("a word", False),
        ("abc", False),
    ],
)
def test_quoted_word_is_a_password(value, is_one):
    assert is_quoted_password(value) is is_one


@every(("value", "is_one"), [("s3cr3t", True), ("a{b", True), ("$PW", False), ("%PW%", False)])
def test_given_value_is_no_template(value, is_one):
    assert is_given(value) is is_one


def test_published_example_of_a_key_is_filled():
    assert [is_filled("AKIAIOSFODNN7" + "EXAMPLE"), is_filled("sk-your-key")] == [True, False]


@every(("value", "is_one"), [("db-credentials", True), ("a", False), ("12", False), (uuid(), False)])
def test_name_is_made_of_words(value, is_one):
    assert is_name(value) is is_one


def test_basic_credentials_are_a_name_and_a_password():
    encoded = [b64encode(each).decode() for each in (b"me:pw", b"me:", b"nothing", b"\xff\xfe:x", b"a:\x00\x01")]
    assert [is_basic(each) for each in (*encoded, "!", "abcde")] == [True, *[False] * 6]


def test_jwt_has_a_jose_header():
    header = b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert [is_jwt(f"{header}.e30."), is_jwt(header[:-2]), is_jwt("e30.e30")] == [True, False, False]
    assert is_encoded_jwt(b64encode(f"{header}.e30.".encode()).decode())


def test_key_material_is_lines_of_base64():
    begin = "-----BEGIN PRIVATE KEY-----\n"
    assert [is_key_material(begin + mix(64, B64)), is_key_material(begin + "and so on")] == [True, False]


def test_cookie_has_a_secret_in_it():
    assert [is_cookie(f"a=1; sid={mix(32)}"), is_cookie("theme=dark; Path=/")] == [True, False]
